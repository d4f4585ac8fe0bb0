import { describe, expect, it } from "vitest";
import type { Identity } from "../../api/session";
import { faultOf, providerFault } from "./faults";
import {
  begin,
  digits,
  groups,
  handed,
  landing,
  PENDING_MS,
  take,
  type Said,
  type Signing,
} from "./steps";

const person = (more: Partial<Identity> = {}): Identity => ({
  subject: "user:01J",
  name: "Rina",
  role: "operator",
  roles: ["operator"],
  agency: "",
  rights: ["incident.read", "desk.staff"],
  desk: "",
  lang: "id",
  needs: [],
  elevated_until: "",
  recovery_used_at: "",
  switched: "",
  ...more,
});

const run = (said: Said[], from = begin()): Signing => said.reduce(take, from);
const pending: Said = {
  is: "pending",
  pending: "t",
  factors: ["passkey", "totp", "recovery"],
  now: 1_000,
};

describe("the steps of signing in", () => {
  it.each<[string, Said[], Signing["step"]["at"]]>([
    [
      "in without anything to do: a desk",
      [{ is: "in", who: person() }],
      "desk",
    ],
    [
      "in at a desk already",
      [{ is: "in", who: person({ desk: "desk-1" }) }],
      "done",
    ],
    [
      "who staffs no desk",
      [{ is: "in", who: person({ rights: ["thing.read"] }) }],
      "done",
    ],
    [
      "the house's own link",
      [{ is: "in", who: person({ subject: "user:admin" }) }],
      "done",
    ],
    [
      "a password first",
      [{ is: "in", who: person({ needs: ["password", "second_factor"] }) }],
      "password",
    ],
    [
      "then a factor",
      [{ is: "in", who: person({ needs: ["second_factor"] }) }],
      "enrol",
    ],
    [
      "codes are shown before anything goes on",
      [{ is: "codes", codes: ["a"], who: person() }],
      "codes",
    ],
    [
      "and lead on once saved",
      [{ is: "codes", codes: ["a"], who: person() }, { is: "saved" }],
      "desk",
    ],
    [
      "no codes, no page for them",
      [{ is: "codes", codes: [], who: person() }],
      "desk",
    ],
    ["a second factor", [pending], "second"],
    [
      "four wrong codes",
      [
        pending,
        { is: "wrong" },
        { is: "wrong" },
        { is: "wrong" },
        { is: "wrong" },
      ],
      "second",
    ],
    [
      "five wrong codes",
      [
        pending,
        { is: "wrong" },
        { is: "wrong" },
        { is: "wrong" },
        { is: "wrong" },
        { is: "wrong" },
      ],
      "enter",
    ],
    ["too late", [pending, { is: "clock", now: 1_000 + PENDING_MS }], "enter"],
    [
      "a moment before",
      [pending, { is: "clock", now: 999 + PENDING_MS }],
      "second",
    ],
    ["back from the second factor", [pending, { is: "back" }], "enter"],
    [
      "no way back once in",
      [{ is: "in", who: person() }, { is: "back" }],
      "desk",
    ],
    ["a wrong code where none is asked", [{ is: "wrong" }], "enter"],
  ])("%s", (_, said, want) => {
    expect(run(said).step.at).toBe(want);
  });

  it("says why it begins anew", () => {
    expect(run([pending, { is: "gone" }]).lapsed).toBe("late");
    const tries = Array.from({ length: 5 }, (): Said => ({ is: "wrong" }));
    expect(run([pending, ...tries]).lapsed).toBe("tries");
  });

  it("asks for no desk where the screen has its own", () => {
    expect(run([{ is: "in", who: person() }], begin(true)).step.at).toBe(
      "done",
    );
    expect(
      run([pending, { is: "in", who: person() }], begin(true)).step.at,
    ).toBe("done");
  });

  it("asks for the app first and changes only to what there is", () => {
    const at = (s: Signing) => (s.step.at === "second" ? s.step.kind : "");
    expect(at(run([pending]))).toBe("totp");
    expect(at(run([pending, { is: "kind", kind: "recovery" }]))).toBe(
      "recovery",
    );
    const bare: Said = { ...pending, factors: ["passkey"] };
    expect(at(run([bare, { is: "kind", kind: "totp" }]))).toBe("passkey");
  });
});

describe("what is typed and handed over", () => {
  it("reads codes and secrets", () => {
    expect(digits(" 123 456 ")).toBe("123456");
    expect(groups("ABCDEFGHIJ")).toBe("ABCD EFGH IJ");
    expect(handed("#pending=x&factors=totp,odd&next=%2F")).toEqual({
      pending: "x",
      factors: ["totp"],
    });
    expect(handed("")).toBeNull();
  });
  it("leads on", () => {
    expect(landing(null)).toBe("/wall");
    expect(landing(person())).toBe("/console");
    expect(landing(person({ rights: ["feed.write"] }))).toBe("/admin");
    expect(landing(person({ subject: "user:admin" }))).toBe("/wall");
  });
});

describe("why it was refused", () => {
  const no = (status: number, code = "", place = "", wait?: number) =>
    ({
      ok: false,
      status,
      problem: {
        code,
        errors: place ? [{ location: "body.password", code: place }] : [],
      },
      ...(wait && { wait }),
    }) as const;
  it.each([
    [no(0), "password", { kind: "unreachable" }],
    [no(401, "unauthorized"), "password", { kind: "wrong", what: "password" }],
    [no(401, "unauthorized"), "code", { kind: "gone" }],
    [no(401, "factor-wrong"), "code", { kind: "wrong", what: "code" }],
    [no(401, "factor-used"), "code", { kind: "used" }],
    [
      no(401, "passkey-refused"),
      "passkey",
      { kind: "passkey", why: "unknown" },
    ],
    [
      no(429, "too-many-tries", "", 12),
      "password",
      { kind: "wait", until: 13_000, long: false },
    ],
    [
      no(429, "too-many-tries", "", 900),
      "password",
      { kind: "wait", until: 901_000, long: true },
    ],
    [no(503, "unavailable"), "password", { kind: "store" }],
    [no(503, "sign-ins-busy"), "password", { kind: "busy" }],
    [
      no(422, "weak-password", "short"),
      "reset",
      { kind: "weak", why: "short" },
    ],
  ] as const)("%o of %s", (answer, what, want) => {
    expect(faultOf(answer, what, 1_000)).toEqual(want);
  });
  it("reads the provider's way back", () => {
    expect(providerFault("?error=oidc_away")).toEqual({
      kind: "provider",
      why: "away",
    });
    expect(providerFault("?error=other")).toBeNull();
  });
});
