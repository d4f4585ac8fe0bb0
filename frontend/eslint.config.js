import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import svelte from "eslint-plugin-svelte";
import { defineConfig, globalIgnores } from "eslint/config";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

// The order matters: later entries win.
export default defineConfig(
  globalIgnores([
    "dist/",
    "src/i18n/paraglide/",
    "src/wire/gen/",
    "src/wire/wire.ts",
    "project.inlang/cache/",
    ".svelte-check/",
  ]),
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  svelte.configs.recommended,
  prettier,
  svelte.configs.prettier,
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
      },
    },
    rules: {
      "no-undef": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true },
      ],
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts", "**/*.svelte.js"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "SvelteAttribute[key.name='style']",
          message:
            "our Content-Security-Policy blocks style attributes; style:x directives pass",
        },
      ],
      // Stores are plain maps inside and show a replaced array once per frame (STYLE, section 11).
      "svelte/prefer-svelte-reactivity": "off",
      // No store of svelte/store stands here: a quarter of the linter's time for nothing to find.
      "svelte/require-store-reactive-access": "off",
      "svelte/no-at-html-tags": "error",
    },
  },
  { files: ["**/*.js", "**/*.mjs"], extends: [ts.configs.disableTypeChecked] },
);
