import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bringWords } from "../../i18n/problem.svelte";
import { language } from "../../i18n/lang.svelte";
import { personOf } from "../../api/people";
import { inOrder, marksOf, meant } from "./marks";
import { browserWord, leftWords, loginFrom, whyNot, termAge } from "./words";
import { fieldOf, instantOf } from "./zoned";

beforeEach(() => {
  language.set("id");
});

describe("ages of what is told once", () => {
  it("counts down to its end, and says that it is over", () => {
    expect(leftWords(900_000, 0)).toBe("15 mnt 0 dtk lagi");
    expect(leftWords(61_000, 60_000)).toBe("1 dtk lagi");
    expect(leftWords(60_000, 60_000)).toBe("sudah lewat");
  });

  it("count a term of three days in hours", () => {
    expect(termAge(72 * 3_600_000 - 1)).toBe("71 jam");
    expect(termAge(90 * 60_000)).toBe("1 jam 30 mnt");
  });
});

describe("times of the city in fields", () => {
  it("reads and writes the city's clock, whatever the browser's is", () => {
    expect(instantOf("2026-12-01T08:00", "Asia/Jakarta")).toBe(
      "2026-12-01T01:00:00.000Z",
    );
    expect(fieldOf("2026-12-01T01:00:00Z", "Asia/Jakarta")).toBe(
      "2026-12-01T08:00",
    );
    expect(instantOf("", "Asia/Jakarta")).toBe("");
    expect(fieldOf("", "Asia/Jakarta")).toBe("");
  });

  it("holds on the day that a clock is moved", () => {
    const at = instantOf("2026-03-29T04:30", "Europe/Berlin");
    expect(at).toBe("2026-03-29T02:30:00.000Z");
    expect(fieldOf(at, "Europe/Berlin")).toBe("2026-03-29T04:30");
  });
});

describe("why something was not done", () => {
  beforeAll(bringWords);

  it("is told in the reader's language by its code and its place", () => {
    expect(whyNot(409, { code: "login-taken" })).toBe(
      "Login ini sudah dipakai orang lain.",
    );
    expect(
      whyNot(422, {
        code: "invalid",
        errors: [{ location: "body.reason", code: "short", limit: 10 }],
      }),
    ).toBe("Tulis alasannya dengan sepuluh huruf atau lebih.");
    expect(
      whyNot(422, {
        code: "invalid",
        errors: [{ location: "body.lang", code: "one-of", limit: "id, en" }],
      }),
    ).toContain("Bahasa: harus salah satu dari: id, en");
  });
});

describe("accounts at a glance", () => {
  const now = Date.parse("2026-11-27T03:00:00Z");
  const person = (more: object) =>
    personOf({
      id: "1",
      name: "Sari",
      login: "sari",
      password: true,
      factors: ["totp"],
      grants: [{ role: "liaison", agency: "bpbd" }],
      ...more,
    });
  const marks = (more: object) =>
    marksOf(person(more), now).map(({ mark }) => mark);

  it("marks what somebody should look at", () => {
    expect(marks({})).toEqual([]);
    expect(marks({ factors: ["recovery"] })).toEqual(["no_factor"]);
    expect(marks({ password: false, factors: [] })).toEqual(["invited"]);
    expect(marks({ break_glass: true })).toEqual(["sealed"]);
    expect(
      marks({ break_glass: true, unsealed_at: "2026-11-27T02:00:00Z" }),
    ).toEqual(["unsealed"]);
    expect(marks({ disabled: true, grants: [] })).toEqual(["disabled"]);
    expect(
      marks({ grants: [{ role: "operator", until: "2026-11-29T00:00:00Z" }] }),
    ).toEqual(["ends"]);
  });

  it("finds people by name, login, role and agency", () => {
    const word = (role: string) =>
      role === "liaison" ? "petugas penghubung OPD" : role;
    expect(meant(person({}), "sari opd", word)).toBe(true);
    expect(meant(person({}), "BPBD", word)).toBe(true);
    expect(meant(person({}), "damkar", word)).toBe(false);
  });

  it("lists closed accounts last", () => {
    const list = [
      person({ id: "a", name: "Ana", disabled: true }),
      person({ id: "b", name: "Zul" }),
    ];
    expect(inOrder(list).map((p) => p.id)).toEqual(["b", "a"]);
  });

  it("makes a login of a name, and a browser of its own long word", () => {
    expect(loginFrom("Dr. Rina Putri, S.Kom")).toBe("dr.rina");
    expect(
      browserWord(
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
      ),
    ).toBe("Chrome di Windows");
    expect(browserWord("curl/8")).toBe("curl/8");
  });
});
