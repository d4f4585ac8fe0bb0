// The steps of an incident's service class against the clock (domain, sections 4 and 7). Milliseconds.
import type { Incident } from "../../wire/wire";
import { instant } from "../../i18n/format";

export interface Clock {
  step: "ack" | "decision" | "dispatch" | "scene" | "resolve";
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

/** The steps of its class; while a hold lets the clocks stand still they are of the moment it began. */
export function clocks(incident: Incident, now: number): Clock[] {
  const { times, sla, status, on_hold: rest } = incident;
  const signal = instant(times.t_signal) ?? instant(incident.opened_at) ?? now;
  const over =
    status === "closed" || status === "cancelled" || status === "resolved";
  const held = rest?.pausable === true ? instant(rest.at) : null;
  const at = Math.min(now, held ?? now);
  const step = (
    name: Clock["step"],
    due: string | null,
    done: string | null,
  ): Clock => clock(name, signal, instant(due), instant(done), at, over);
  const sent = [
    step("dispatch", sla.dispatch_due, times.t_dispatch),
    step("scene", sla.scene_due, times.t_scene),
  ];
  return [
    step("ack", sla.ack_due, times.t_ack),
    // What is watched is decided on; nobody is sent unless somebody is.
    ...(sla.decision_due
      ? [
          step("decision", sla.decision_due, times.t_decision),
          ...sent.filter((s) => s.due !== null || s.doneMs !== null),
        ]
      : sent),
    ...(sla.resolve_due
      ? [step("resolve", sla.resolve_due, times.t_resolved)]
      : []),
  ];
}
