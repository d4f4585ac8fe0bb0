import { describe, expect, it } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const catalogue = (lang: string) =>
  JSON.parse(
    readFileSync(join(ROOT, "messages", `${lang}.json`), "utf8"),
  ) as Record<string, string>;

const languages = readdirSync(join(ROOT, "messages")).map((f) =>
  f.replace(".json", ""),
);
const all = Object.fromEntries(languages.map((l) => [l, catalogue(l)]));
const keys = [
  ...new Set(Object.values(all).flatMap((c) => Object.keys(c))),
].filter((k) => !k.startsWith("$"));
const holes = (text: string) =>
  [...text.matchAll(/\{(\w+)\}/g)].map((h) => h[1]).sort();

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory())
      return entry.name === "paraglide" ? [] : sources(path);
    return /\.(svelte|ts)$/.test(entry.name) && !/\.test\.ts$/.test(entry.name)
      ? [path]
      : [];
  });
}

const code = sources(join(ROOT, "src"));

describe("the message catalogue", () => {
  it("is there in Indonesian and English", () => {
    expect(languages.sort()).toEqual(["en", "id"]);
  });

  it.each(keys)("%s is in every language, with the same holes", (key) => {
    const texts = languages.map((l) => all[l]?.[key]);
    for (const text of texts) expect(text, key).toBeTruthy();
    const [first, ...others] = texts.map((t) => holes(t ?? ""));
    for (const other of others) expect(other).toEqual(first);
  });

  it("holds no message that nobody says", () => {
    const text = code.map((f) => readFileSync(f, "utf8")).join("\n");
    const unused = keys.filter((k) => !new RegExp(`\\bm\\.${k}\\b`).test(text));
    expect(unused).toEqual([]);
  });

  it("leaves no word in the markup", () => {
    const found: string[] = [];
    for (const file of code.filter((f) => f.endsWith(".svelte"))) {
      const markup = readFileSync(file, "utf8")
        .replace(/<(script|style)[\s\S]*?<\/\1>/g, "")
        .replace(/<!--[\s\S]*?-->/g, "");
      // Text between tags, without what stands in braces and named characters (&nbsp;), three letters or more.
      const bare = stripBraces(markup)
        .replace(/&\w+;/g, " ")
        .matchAll(/>([^<>]*)</g);
      for (const [, text = ""] of bare) {
        const word = /\p{L}{3,}/u.exec(text);
        if (word) found.push(`${file}: ${word[0]}`);
      }
    }
    expect(found).toEqual([]);
  });

  it("never renders text from outside as markup", () => {
    const raw = code.filter((f) => /\{@html/.test(readFileSync(f, "utf8")));
    expect(raw).toEqual([]);
  });
});

function stripBraces(text: string): string {
  let out = "";
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    else if (char === "}") depth = Math.max(0, depth - 1);
    else if (depth === 0) out += char;
  }
  return out;
}
