import { describe, expect, it } from "vitest";
import type { TimelineEntry } from "../../wire/wire";
import { basisGone } from "./basis";
import { doneWord, noteWords } from "./words";

const line = (...acts: string[]): TimelineEntry[] =>
  acts.map((act) => ({
    at: "2026-11-27T06:00:00Z",
    actor: "rule:banjir",
    act,
    note: "",
  }));

describe("a basis that was withdrawn", () => {
  it.each([
    [["opened", "basis_withdrawn"], true],
    [["opened", "basis_withdrawn", "acknowledged", "commented"], true],
    [["opened", "evidence", "basis_withdrawn"], true],
    [["opened", "basis_withdrawn", "evidence"], false],
    [["opened", "basis_withdrawn", "cancelled"], false],
    [["opened", "cleared"], false],
    [[], false],
  ])("%j: %s", (acts, gone) => {
    expect(basisGone(line(...acts))).toBe(gone);
  });

  it("is said in words, the act and the reason", () => {
    expect(doneWord("basis_withdrawn")).not.toBe("basis_withdrawn");
    for (const code of ["rule_changed", "disproved", "sensor_fault"])
      expect(noteWords(`${code}: banjir, awlr:1`)).toMatch(
        /^(?!rule_|disproved|sensor_).+: banjir, awlr:1$/,
      );
  });
});
