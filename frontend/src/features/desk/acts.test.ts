import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Known } from "../../api/incidents";
import type { Incident } from "../../wire/wire";
import { Acts, missing, nextStep } from "./acts.svelte";

const seen = {
  id: "01J",
  status: "new",
  version: 3,
  timeline: [],
} as unknown as Incident;

let done: Known[] = [];
let sent: unknown[] = [];
let acts: Acts;

function house(status: number, body: object): void {
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    sent.push(JSON.parse(init.body as string));
    if (status === 0) return Promise.reject(new TypeError("no network"));
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
}

beforeEach(() => {
  done = [];
  sent = [];
  sessionStorage.clear();
  acts = new Acts("01J", (known) => done.push(known));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("an act", () => {
  it("is done when the house has said so, and only then are its words gone", async () => {
    house(200, { ...seen, version: 4, allowed: [] });
    acts.words.note = " ke lokasi ";
    expect(await acts.send("acknowledged", seen)).toBe(true);
    expect(sent).toEqual([
      { to: "acknowledged", version: 3, note: "ke lokasi" },
    ]);
    expect(done[0]?.version).toBe(4);
    expect(acts.words.note).toBe("");
  });

  it("brings what is now when somebody was faster, and keeps the words", async () => {
    const now = { ...seen, version: 4, status: "acknowledged" };
    house(409, { status: 409, current: now, allowed: ["resolved"] });
    acts.words.note = "saya";
    expect(await acts.send("acknowledged", seen)).toBe(false);
    expect(acts.conflict?.now.version).toBe(4);
    expect(acts.conflict?.allowed).toEqual(["resolved"]);
    expect(acts.words.note).toBe("saya");
    expect(done[0]?.version).toBe(4);
  });

  it.each([
    [0, "unreachable"],
    [403, "forbidden"],
    [422, "incomplete"],
    [503, "busy"],
    [500, "failed"],
  ] as const)(
    "that is answered by %i is not done: %s",
    async (status, kind) => {
      house(status, { detail: "why" });
      acts.words.note = "tetap di sini";
      expect(await acts.send("closed", seen)).toBe(false);
      expect(acts.fault?.kind).toBe(kind);
      expect(acts.words.note).toBe("tetap di sini");
      expect(acts.busy).toBeNull();
      expect(done).toEqual([]);
    },
  );

  it("keeps its words over a reload", () => {
    acts.words.note = "setengah jadi";
    acts.keep();
    expect(new Acts("01J", () => undefined).words.note).toBe("setengah jadi");
    expect(new Acts("01K", () => undefined).words.note).toBe("");
  });

  it("asks for what the domain asks for", () => {
    const words = {
      note: "",
      outcome: "",
      cause: "",
      reason: "",
      override: "",
      victims: null,
    };
    expect(missing("resolved", words, "acknowledged")).toBe("outcome");
    expect(missing("cancelled", words, "new")).toBe("reason");
    expect(missing("reopened", { ...words, reason: " " }, "closed")).toBe(
      "reason",
    );
    expect(
      missing("cancelled", { ...words, reason: "test" }, "new"),
    ).toBeNull();
    expect(missing("acknowledged", words, "new")).toBeNull();
    const told = { ...words, outcome: "surut" };
    expect(missing("resolved", told, "acknowledged")).toBeNull();
    expect(missing("resolved", told, "on_scene")).toBe("cause");
    expect(missing("resolved", { ...told, cause: "hujan" }, "on_scene")).toBe(
      "victims",
    );
    expect(nextStep("on_scene")).toBe("resolved");
    expect(nextStep("closed")).toBeNull();
  });
});
