import { expect, it } from "vitest";
import type { Incident } from "../../wire/wire";
import { clocks } from "./clocks";

const T = Date.parse("2026-11-22T07:00:00.000Z");
const at = (s: number) => new Date(T + s * 1000).toISOString();
const make = (more: object = {}): Incident =>
  ({
    status: "new",
    opened_at: at(1),
    times: { t_signal: at(0) },
    sla: { class: "A", ack_due: at(60), dispatch_due: at(120) },
    ...more,
  }) as unknown as Incident;
const states = (incident: Incident, s: number) =>
  clocks(incident, T + s * 1000).map((c) => c.state);

it("run, warn before the miss, are late, and say what became of them", () => {
  expect(states(make(), 10)).toEqual(["running", "running", "none"]);
  expect(states(make(), 50)).toEqual(["soon", "running", "none"]);
  expect(states(make(), 61)).toEqual(["late", "running", "none"]);
  const acked = make({
    status: "acknowledged",
    times: { t_signal: at(0), t_ack: at(30) },
  });
  expect(states(acked, 500)).toEqual(["met", "late", "none"]);
  expect(clocks(acked, T)[0]?.doneMs).toBe(30_000);
  const late = make({ times: { t_signal: at(0), t_ack: at(90) } });
  expect(clocks(late, T)[0]).toMatchObject({ state: "missed", lateMs: 30_000 });
});

it("stand still once it is over, and ask for nothing that is not due", () => {
  expect(states(make({ status: "cancelled" }), 500)).toEqual([
    "never",
    "never",
    "none",
  ]);
  const watch = make({
    sla: { class: "E", ack_due: at(900), dispatch_due: null },
  });
  expect(states(watch, 10)).toEqual(["running", "none", "none"]);
  const decided = (t_decision: string | null, t_dispatch: string | null) =>
    make({
      status: "acknowledged",
      times: { t_signal: at(0), t_ack: at(60), t_decision, t_dispatch },
      sla: {
        class: "E",
        ack_due: at(900),
        dispatch_due: null,
        decision_due: at(1800),
      },
    });
  expect(states(decided(null, null), 1801)).toEqual(["met", "late"]);
  expect(states(decided(at(1200), null), 1801)).toEqual(["met", "met"]);
  expect(states(decided(at(1200), at(1200)), 1801)).toEqual([
    "met",
    "met",
    "none",
  ]);
});

it("know the arrival and the end where the zone gives them, and stand still while access is not safe", () => {
  const times = { t_signal: at(0), t_ack: at(5), t_dispatch: at(10) };
  const sla = {
    class: "B",
    ack_due: at(60),
    dispatch_due: at(120),
    scene_due: at(600),
    resolve_due: at(7200),
  } as Incident["sla"];
  const going = { status: "dispatched", times, sla } as Partial<Incident>;
  expect(states(make(going), 700)).toEqual(["met", "met", "late", "running"]);
  const rest = (pausable: boolean) =>
    make({
      ...going,
      on_hold: { reason: "x", until: at(9000), by: "", at: at(300), pausable },
    });
  expect(clocks(rest(true), T + 700_000)[2]?.leftMs).toBe(300_000);
  expect(states(rest(false), 700)[2]).toBe("late");
});
