// The steps of an incident's service class against the clock (domain, sections 4 and 7). Milliseconds.
import type { Incident } from "../../wire/wire";
import { instant } from "../../i18n/format";

export interface Clock {
  step: "ack" | "dispatch" | "scene";
  /** none: nothing is due. never: it is over, and this step was not taken. soon: less than a fifth of the time is left, so it will be missed unless somebody acts. */
  state: "none" | "running" | "soon" | "late" | "met" | "missed" | "never";
  due: number | null;
  /** From the first signal to the step, once done. */
  doneMs: number | null;
  /** From the first signal to when it is due. */
  spanMs: number;
  leftMs: number;
  lateMs: number;
  /** 0 to 1: how much of the time is used. */
  part: number;
}

const SOON = 0.2;

function clock(
  step: Clock["step"],
  signal: number,
  due: number | null,
  done: number | null,
  now: number,
  over: boolean,
): Clock {
  const spanMs = due === null ? 0 : Math.max(1, due - signal);
  const at = done ?? now;
  const leftMs = due === null ? 0 : Math.max(0, due - at);
  const lateMs = due === null ? 0 : Math.max(0, at - due);
  const part = spanMs > 0 ? Math.min(1, Math.max(0, at - signal) / spanMs) : 0;
  let state: Clock["state"] = "none";
  if (due !== null && done !== null) state = lateMs > 0 ? "missed" : "met";
  else if (due !== null && over) state = "never";
  else if (due !== null) {
    state = lateMs > 0 ? "late" : leftMs < spanMs * SOON ? "soon" : "running";
  }
  return {
    step,
    state,
    due: over && done === null ? null : due,
    doneMs: done === null ? null : Math.max(0, done - signal),
    spanMs,
    leftMs,
    lateMs,
    part,
  };
}

/** The three steps; the arrival has no due time until the profile knows the zone of each nagari. */
export function clocks(incident: Incident, now: number): Clock[] {
  const { times, sla, status } = incident;
  const signal = instant(times.t_signal) ?? instant(incident.opened_at) ?? now;
  const over =
    status === "closed" || status === "cancelled" || status === "resolved";
  return [
    clock("ack", signal, instant(sla.ack_due), instant(times.t_ack), now, over),
    clock(
      "dispatch",
      signal,
      instant(sla.dispatch_due),
      instant(times.t_dispatch),
      now,
      over,
    ),
    clock("scene", signal, null, instant(times.t_scene), now, over),
  ];
}
