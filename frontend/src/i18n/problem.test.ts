import { beforeAll, describe, expect, it } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROBLEM_CODES, PROBLEM_FAULTS } from "../wire/wire";
import { language } from "./lang.svelte";
import { bringWords, placesOf, problemWords } from "./problem.svelte";
import { FAULTS, NAMES, WORDS } from "./problem-words";

const SRC = join(import.meta.dirname, "..");
const holes = { limit: "20" };
const inBoth = (say: () => string): [id: string, en: string] => {
  language.current = "id";
  const id = say();
  language.current = "en";
  const en = say();
  language.current = "id";
  return [id, en];
};

describe("a problem in words", () => {
  beforeAll(bringWords);

  it.each(PROBLEM_CODES)("%s is a sentence in both languages", (code) => {
    const [id, en] = inBoth(() => WORDS[code](holes));
    expect(id).toMatch(/^[\p{Lu}(].*[.)]$/u);
    expect(en).toMatch(/^[\p{Lu}(].*[.)]$/u);
    expect(id).not.toBe(en);
  });

  it.each(PROBLEM_FAULTS)("%s at a place has words in both", (fault) => {
    const [id, en] = inBoth(() => FAULTS[fault](holes));
    expect(id).not.toBe("");
    expect(id).not.toBe(en);
  });

  it("has no words for what the server never says", () => {
    expect(Object.keys(WORDS).sort()).toEqual([...PROBLEM_CODES].sort());
    expect(Object.keys(FAULTS).sort()).toEqual([...PROBLEM_FAULTS].sort());
    for (const name of Object.values(NAMES)) expect(name()).not.toBe("");
  });

  it("names the places that are at fault, with their bounds", () => {
    const problem = {
      code: "invalid",
      detail: "validation failed",
      errors: [
        { location: "body.grants[0].agency", code: "unknown" },
        { location: "body.name", code: "long", limit: 1000 },
        { location: "body.xyz", code: "type", limit: "integer" },
      ],
    };
    expect(problemWords(422, problem)).toBe(
      "Isian belum benar. Instansi: tidak ada yang bernama itu; Nama: paling banyak 1.000; xyz: harus berupa bilangan bulat.",
    );
    expect(placesOf(problem)[0]?.path).toBe("grants.agency");
  });

  it("has the parameters of the code", () => {
    const large = { code: "file-too-large", params: { limit: 20 } };
    expect(problemWords(413, large)).toContain("20 MB");
  });

  it("speaks by the status where the code is of a newer server, or of none", () => {
    const newer = { code: "to-come", title: "in English", detail: "English" };
    for (const status of [0, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502])
      for (const words of inBoth(() => problemWords(status, newer)))
        expect(words).not.toMatch(/English/);
    expect(problemWords(404, { code: "constructor" })).toBe(
      problemWords(404, {}),
    );
  });
});

// The server's English is for logs: whoever shows it, or reads a meaning out of it, speaks no Indonesian.
it("no screen reads the English of a problem", () => {
  const walk = (dir: string): string[] =>
    readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
      e.isDirectory()
        ? walk(join(dir, e.name))
        : /(?<!\.test)\.(ts|svelte)$/.test(e.name)
          ? [join(dir, e.name)]
          : [],
    );
  const found = walk(SRC).filter((f) =>
    /problem\??\.(detail|title)|problem\["(detail|title)"\]/.test(
      readFileSync(f, "utf8"),
    ),
  );
  expect(found).toEqual([]);
});
