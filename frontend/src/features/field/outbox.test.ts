import { describe, expect, it } from "vitest";
import type { Answer } from "../../api/call";
import type { Dispatch, DispatchStatus } from "../../wire/wire";
import {
  backoff,
  callOf,
  cryIn,
  due,
  graceLeft,
  heads,
  impatient,
  load,
  lostCall,
  nextTry,
  resolving,
  said,
  settle,
  spent,
  stale,
  stamp,
  standing,
  stops,
  taskOf,
  unread,
  wellTo,
  type Act,
  type Step,
} from "./outbox";

const AT = Date.parse("2026-11-22T07:00:00Z");
const iso = (ms: number) => new Date(ms).toISOString();
const ME = "user:rina";

const times = {
  offered: null,
  accepted: null,
  declined: null,
  expired: null,
  en_route: null,
  on_scene: null,
  done: null,
  cancelled: null,
};
const dispatch = (part: Partial<Dispatch> = {}): Dispatch => ({
  id: "d1",
  incident: "i1",
  type: "flood",
  unit: "bpbd/trc-1",
  agency: "bpbd",
  status: "offered",
  version: 1,
  times: { ...times, offered: iso(AT) },
  received: { ...times, offered: iso(AT) },
  expires_at: iso(AT + 60_000),
  by: "user:dewi",
  travel_s: 600,
  receipt: { sent: iso(AT), delivered: null, seen: null },
  next: null,
  simulated: false,
  external_refs: [],
  ...part,
});

const written = (seq: number, incident: string, at: number) => ({
  seq,
  key: `key-${seq}`,
  at: iso(at),
  by: ME,
  incident,
  dispatch: `d-${incident}`,
  title: "",
  fate: "waiting" as const,
  tries: 0,
  next: 0,
  told: null,
});
const step = (seq: number, to: Step, incident = "i1", at = AT): Act => ({
  ...written(seq, incident, at),
  kind: "step",
  to,
});
const note = (seq: number, incident = "i1", at = AT): Act => ({
  ...written(seq, incident, at),
  kind: "note",
  text: `note ${seq}`,
});

const ok: Answer<unknown> = { ok: true, body: {}, at: AT };
const no = (status: number, problem = {}, wait?: number): Answer<unknown> => ({
  ok: false,
  status,
  problem,
  ...(wait !== undefined && { wait }),
});

describe("the order of an outbox", () => {
  it("is that of doing within an incident, and incidents do not wait for each other", () => {
    const acts = [note(3), step(1, "accepted"), note(2, "i2")];
    expect(heads(acts, ME).map((a) => a.seq)).toEqual([1, 2]);
  });

  it("lets nothing past an act that pauses", () => {
    const acts = [
      { ...step(1, "accepted"), next: AT + 5_000 },
      note(2),
      note(3, "i2"),
    ];
    expect(due(acts, ME, AT)?.seq).toBe(3);
    expect(nextTry(acts, ME)).toBe(0);
    expect(due(acts.slice(0, 2), ME, AT)).toBeUndefined();
    expect(nextTry(acts.slice(0, 2), ME)).toBe(AT + 5_000);
    expect(due(impatient(acts).slice(0, 1), ME, AT)?.seq).toBe(1);
  });

  it("sends nobody's act under another's name", () => {
    const acts: Act[] = [{ ...note(1), by: "user:budi" }, note(2)];
    expect(due(acts, ME, AT)?.seq).toBe(2);
    expect(load(acts, ME)).toEqual({ count: 2, bytes: 0, strange: 1 });
  });
});

describe("an answer", () => {
  it("that does not come keeps the act, and each pause is longer up to five minutes", () => {
    let act = step(1, "accepted");
    const pauses: number[] = [];
    for (let i = 0; i < 10; i++) {
      act = settle(act, no(0), AT, 0.5);
      pauses.push(act.next - AT);
    }
    expect(act.fate).toBe("waiting");
    expect(pauses.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    expect(pauses.at(-1)).toBe(300_000);
    expect(backoff(99, 1)).toBeLessThanOrEqual(360_000);
  });

  it("may name the pause", () => {
    expect(settle(note(1), no(503, {}, 60), AT, 0.5).next).toBe(AT + 60_000);
  });

  it("of a house that does not know us changes nothing, and nothing else is tried", () => {
    const act = note(1);
    expect(settle(act, no(401), AT, 0.5)).toEqual(act);
    expect([no(401), no(0), no(503), no(409), ok].map(stops)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it("409 says what is so instead; what somebody else has noted already is no conflict", () => {
    const told = no(409, {
      current: { status: "cancelled" },
      code: "changed",
    });
    expect(settle(step(1, "on_scene"), told, AT, 0.5)).toMatchObject({
      fate: "conflict",
      stands: "cancelled",
      why: { status: 409, problem: { code: "changed" } },
    });
    const same = no(409, { current: { status: "on_scene" } });
    expect(settle(step(1, "on_scene"), same, AT, 0.5).fate).toBe("already");
  });

  it("that refuses is told with why, and lets a picture stay on the phone", () => {
    const photo: Act = {
      ...written(1, "i1", AT),
      kind: "photo",
      photo: new Blob(["x"]),
      bytes: 1,
    };
    const refused = settle(photo, no(415, { code: "file-kind" }), AT, 0.5);
    expect(refused).toMatchObject({
      fate: "refused",
      why: { status: 415, problem: { code: "file-kind" } },
    });
    expect(refused).toHaveProperty("photo.size", 1);
    expect(settle(photo, ok, AT, 0.5)).toMatchObject({
      fate: "sent",
      photo: null,
      told: iso(AT),
    });
  });
});

describe("a call for help", () => {
  const help = (part: Partial<Act> = {}): Act =>
    ({
      ...written(9, "", AT),
      kind: "panic",
      unit: "bpbd/trc-1",
      next: AT + 5_000,
      ...part,
    }) as Act;

  it("goes a way of its own: no act is before it, and none waits for it", () => {
    const acts = [step(1, "accepted"), help()];
    expect(heads(acts, ME).map((a) => a.seq)).toEqual([1]);
    expect(nextTry([help()], ME)).toBeNull();
    expect(callOf(acts)?.seq).toBe(9);
    expect(callOf([help({ fate: "sent" })])).toBeUndefined();
  });
  it("may be taken back until it leaves, however the network comes and goes", () => {
    expect(graceLeft(help(), AT + 1_000)).toBe(4_000);
    expect(graceLeft(help(), AT + 5_000)).toBe(0);
    expect(graceLeft(help({ tries: 1, next: AT + 9_000 }), AT)).toBe(0);
    expect(impatient([help()])).toEqual([]);
  });
  it("is tried every ten seconds at least, also where the house asks for more, or knows nobody", () => {
    let act = help();
    for (const answer of [
      { ok: false, status: 0, problem: {} },
      { ok: false, status: 503, problem: {}, wait: 300 },
      { ok: false, status: 401, problem: {} },
    ] as Answer<unknown>[]) {
      for (let i = 0; i < 6; i++) act = settle(act, answer, AT, 1);
      expect(act.fate).toBe("waiting");
      expect(act.next - AT).toBeLessThanOrEqual(10_000);
      expect(act.next - AT).toBeGreaterThan(0);
    }
    expect(settle(act, ok, AT, 1).fate).toBe("sent");
  });
  it("outlasts a right or a session that is gone, and says that it was not taken", () => {
    for (const status of [401, 403, 404]) {
      expect(settle(help(), no(status), AT, 1)).toMatchObject({
        fate: "waiting",
        denied: status,
      });
    }
    const lost = settle(help(), no(422), AT, 1);
    expect(lostCall([lost])?.seq).toBe(9);
    expect(lostCall([{ ...lost, read: true }])).toBeUndefined();
  });
  it("does not wait for a clock that was set back", () => {
    expect(cryIn(AT + 4_000, AT)).toBe(4_000);
    expect(cryIn(AT + 3_600_000, AT)).toBe(0);
    expect(graceLeft(help({ next: AT + 3_600_000 }), AT)).toBe(0);
  });
});

describe("an answer to a roll call", () => {
  it("is not sent once it is older than five minutes", () => {
    const well = { ...written(1, "", AT), kind: "well", unit: "u" } as Act;
    expect(stale([well, note(2)], AT + 300_000)).toEqual([]);
    const old = stale([well, note(2)], AT + 300_001);
    expect(old.map((a) => [a.seq, a.fate])).toEqual([[1, "conflict"]]);
    expect(unread(old)).toHaveLength(1);
  });
  it("goes before whatever was done earlier, but not before its pause is over", () => {
    const well = { ...written(9, "", AT), kind: "well", unit: "u" } as Act;
    expect(due([note(1), note(2), well], ME, AT)?.seq).toBe(9);
    const paused = { ...well, next: AT + 1_000 };
    expect(due([note(1), note(2), paused], ME, AT)?.seq).toBe(1);
    expect(due([well], "user:budi", AT)).toBeUndefined();
  });
  it("counts once the house has it", () => {
    const well = { ...written(1, "", AT), kind: "well", unit: "u" } as Act;
    expect(wellTo(AT, [well])).toBe("waiting");
    expect(wellTo(AT, [{ ...well, fate: "refused" }])).toBe("none");
    expect(wellTo(AT, [{ ...well, fate: "sent" }])).toBe("told");
    expect(wellTo(AT + 1, [{ ...well, fate: "sent" }])).toBe("none");
  });
});

describe("that an incident is over", () => {
  const over: Act = {
    ...written(4, "i1", AT),
    kind: "resolve",
    outcome: "air surut",
    cause: "hujan",
    victims: {
      dead: 0,
      missing: 0,
      injured: 0,
      displaced: 0,
      affected: 0,
      households: 0,
    },
  };
  const stale = (status: string): Answer<unknown> => ({
    ok: false,
    status: 409,
    problem: { current: { status } },
  });
  it("is known already where somebody else said so, and a conflict where it stands otherwise", () => {
    expect(settle(over, stale("resolved"), AT, 0).fate).toBe("already");
    expect(settle(over, stale("cancelled"), AT, 0)).toMatchObject({
      fate: "conflict",
      stands: "cancelled",
    });
  });
  it("is asked for once, and moves no dispatch", () => {
    expect(resolving("i1", [over])).toBe(true);
    expect(resolving("i1", [{ ...over, fate: "sent" }])).toBe(false);
    expect(standing(dispatch({ status: "on_scene" }), [over])).toBe("on_scene");
  });
});

describe("a note", () => {
  it("that comes late begins with its own time, and is said the same each time", () => {
    const clock = () => "14.05";
    expect(said(note(1), AT + 5_000, clock)).toMatchObject({ says: "note 1" });
    const late = said(note(1), AT + 7_200_000, clock);
    expect(late).toMatchObject({ text: "note 1", says: "14.05: note 1" });
    expect(said(late, AT + 9_000_000, () => "16.30")).toBe(late);
    const other = step(1, "accepted");
    expect(said(other, AT + 7_200_000, clock)).toBe(other);
  });
});

describe("what stays on the phone", () => {
  it("is what was not taken, until somebody has read it", () => {
    const day = 86_400_000;
    const sent = { ...note(1), fate: "sent" as const, told: iso(AT) };
    const lost = { ...note(2), fate: "conflict" as const, told: iso(AT) };
    const read = { ...lost, seq: 3, read: true };
    const acts = [sent, lost, read, note(4)];
    expect(unread(acts).map((a) => a.seq)).toEqual([2]);
    expect(spent(acts, AT + 2 * day).map((a) => a.seq)).toEqual([1]);
    expect(spent(acts, AT + 30 * day).map((a) => a.seq)).toEqual([1, 3]);
  });
});

describe("a dispatch", () => {
  it("stands where the crew has brought it, though the house has not heard", () => {
    const acts = [
      { ...step(1, "accepted"), dispatch: "d1" },
      { ...step(2, "en_route"), dispatch: "d1" },
    ];
    expect(standing(dispatch(), acts)).toBe("en_route");
    // What the house has refused moves nothing.
    expect(
      standing(
        dispatch(),
        acts.map((a) => ({ ...a, fate: "conflict" as const })),
      ),
    ).toBe("offered");
    // Recalled by the post: what waits does not bring it back.
    expect(standing(dispatch({ status: "cancelled" }), acts)).toBe("cancelled");
  });

  it("is the one task where it is furthest on its way", () => {
    const offered = dispatch({ id: "d0" });
    const going = dispatch({ id: "d1", status: "en_route" });
    expect(taskOf([offered, going], [])?.id).toBe("d1");
    const done = [{ ...step(1, "on_scene"), dispatch: "d1" }];
    expect(
      taskOf(
        [offered, going],
        [...done, { ...step(2, "done"), dispatch: "d1" }],
      )?.id,
    ).toBe("d0");
    expect(taskOf([dispatch({ status: "expired" })], [])).toBeNull();
  });

  it("is stamped by the house's clock, and never before the step before", () => {
    expect(stamp(AT + 5_000, -2_000, dispatch(), [])).toBe(iso(AT + 3_000));
    // A phone whose clock is an hour slow.
    expect(stamp(AT - 3_600_000, 0, dispatch(), [])).toBe(iso(AT));
    const acts = [{ ...step(1, "accepted", "i1", AT + 9_000), dispatch: "d1" }];
    expect(stamp(AT + 5_000, 0, dispatch(), acts)).toBe(iso(AT + 9_000));
  });
});

/** A house that does an act once under its key, and whose answers may be lost on the way. */
class House {
  at: Record<string, DispatchStatus> = {};
  did: { key: string; incident: string; at: string; heard: number }[] = [];
  #answers = new Map<string, Answer<unknown>>();

  take(act: Act, now: number): Answer<unknown> {
    const known = this.#answers.get(act.key);
    if (known) return known;
    const answer = this.#judge(act);
    this.#answers.set(act.key, answer);
    if (answer.ok)
      this.did.push({
        key: act.key,
        incident: act.incident,
        at: act.at,
        heard: now,
      });
    return answer;
  }

  #judge(act: Act): Answer<unknown> {
    if (act.kind !== "step") return ok;
    const follows: Partial<Record<DispatchStatus, Step>> = {
      offered: "accepted",
      accepted: "en_route",
      en_route: "on_scene",
      on_scene: "done",
    };
    const stands = this.at[act.incident] ?? "offered";
    if (follows[stands] !== act.to)
      return no(409, { current: { status: stands } });
    this.at[act.incident] = act.to;
    return ok;
  }
}

describe("two hours without a network", () => {
  it("40 acts come once each, in order per incident, and 3 conflicts are told", () => {
    const house = new House();
    // What the post did meanwhile: two dispatches were recalled, one of them before the crew had even answered.
    house.at["i3"] = "cancelled";
    const acts: Act[] = [];
    const minute = 60_000;
    let seq = 0;
    const at = () => AT + seq * 3 * minute;
    const steps: Step[] = ["accepted", "en_route", "on_scene", "done"];
    for (const incident of ["i1", "i2"]) {
      for (const to of steps) {
        acts.push(step(++seq, to, incident, at()));
        for (let n = 0; n < 3; n++) acts.push(note(++seq, incident, at()));
      }
    }
    for (const to of steps.slice(0, 3)) acts.push(step(++seq, to, "i3", at()));
    while (seq < 40) acts.push(note(++seq, "i3", at()));

    // The line comes and goes from two hours on: every third answer is lost after the house has acted.
    let now = AT + 2 * 60 * minute;
    let box = acts;
    let sent = 0;
    for (let round = 0; round < 500 && nextTry(box, ME) !== null; round++) {
      for (;;) {
        const act = due(box, ME, now);
        if (!act) break;
        const answer = house.take(act, now);
        const heard = ++sent % 3 === 0 ? no(0) : answer;
        const after = settle(act, heard, now, 0.5);
        box = box.map((a) => (a.seq === act.seq ? after : a));
        if (stops(heard)) break;
      }
      now += 2_500;
    }

    expect(box.map((a) => a.fate).filter((f) => f === "waiting")).toEqual([]);
    const conflicts = box.filter((a) => a.fate === "conflict");
    expect(conflicts.map((a) => a.kind === "step" && a.to)).toEqual([
      "accepted",
      "en_route",
      "on_scene",
    ]);
    expect(conflicts.every((a) => a.stands === "cancelled")).toBe(true);
    expect(unread(box)).toHaveLength(3);
    // Every one of the 40 is answered for: 37 in the house, once each, in order, with the time of the act and not that of its coming.
    expect(house.did).toHaveLength(37);
    expect(new Set(house.did.map((d) => d.key)).size).toBe(37);
    for (const incident of ["i1", "i2", "i3"]) {
      const order = house.did
        .filter((d) => d.incident === incident)
        .map((d) => d.at);
      expect(order).toEqual([...order].sort());
    }
    for (const d of house.did) {
      expect(d.heard - Date.parse(d.at)).toBeGreaterThanOrEqual(0);
      expect(acts.find((a) => a.key === d.key)?.at).toBe(d.at);
    }
  });
});
