import { describe, expect, it } from "vitest";
import type { Answer } from "../../api/call";
import { readHeld, type Held } from "../../api/feeds";
import { acceptAll, daysLeft, fullness } from "./held";

const NOW = Date.parse("2026-11-27T12:00:00Z");
const held = (more: object): Held =>
  readHeld({ id: "a", state: "held", deliveries: 3, ...more });

describe("how long something is held", () => {
  it.each([
    [{ expires_at: "2026-12-27T11:00:00Z" }, 29],
    [{ expires_at: "2026-11-30T12:00:00Z" }, 3],
    [{ expires_at: "2026-11-27T13:00:00Z" }, 0],
    [{ expires_at: "2026-11-27T11:00:00Z" }, 0],
    [{ expires_at: null }, null],
    [{ expires_at: "2026-11-30T12:00:00Z", state: "kept" }, null],
    [{ expires_at: "2026-11-30T12:00:00Z", passed: true }, null],
    [{ expires_at: "2026-11-30T12:00:00Z", deliveries: 0 }, null],
  ])("%j: %s days", (more, days) => {
    expect(daysLeft(held(more), NOW)).toBe(days);
  });
});

describe("how full it is", () => {
  it("is told by the nearest bound", () => {
    const room = {
      causes: 1,
      mostCauses: 50,
      deliveries: 150,
      mostDeliveries: 300,
      size: 10,
      mostSize: 100,
    };
    expect(fullness(room)).toBe(0.5);
    expect(fullness({ ...room, mostDeliveries: 0, size: 90 })).toBe(0.9);
  });
});

describe("accepting all", () => {
  const ok = (more: object): Answer<Held> => ({ ok: true, body: held(more) });
  async function run(answers: Answer<Held>[]) {
    const told: number[] = [];
    let asked = 0;
    const end = await acceptAll(
      held({}),
      () => {
        const answer = answers[asked++];
        if (!answer) throw new Error("asked too often");
        return Promise.resolve(answer);
      },
      (h) => told.push(h.taken),
    );
    return { end, told, asked };
  }
  it("goes on until nothing is held", async () => {
    const { end, told, asked } = await run([
      ok({ taken: 10 }),
      ok({ taken: 20 }),
      ok({ taken: 25, state: "accepted" }),
    ]);
    expect(end.ok && end.body.state).toBe("accepted");
    expect([told, asked]).toEqual([[10, 20], 3]);
  });
  it("ends where it gets no further, and with a fault", async () => {
    expect((await run([ok({ taken: 10 }), ok({ taken: 10 })])).asked).toBe(2);
    const fault: Answer<Held> = { ok: false, status: 503, problem: {} };
    expect((await run([ok({ taken: 10 }), fault])).end).toBe(fault);
  });
});
