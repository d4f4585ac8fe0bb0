// What is to be heard, and when (domain.md section 9): P1 two tones every 30 s until somebody has acknowledged it, P2 once, P3 never. Pure.
import type { Alarm } from "../../wire/wire";
import { grave, isFor, waits } from "./queue";

export type Tone = "p1" | "p2";

export const AGAIN_MS = 30_000;
/** No longer: whoever mutes a room forgets it. */
export const MUTE_MS = 10 * 60_000;

export class SoundPlan {
  #lastMs = Number.NEGATIVE_INFINITY;
  /** P2 that were heard, or were there before this screen was. */
  #told = new Set<string>();
  #began = false;

  /** The tone that is due at a time, by any clock that runs; null: none. The house says of each alarm whether it is to be heard. */
  due(alarms: readonly Alarm[], desk: string, nowMs: number): Tone | null {
    const here = alarms.filter((a) => a.sound && isFor(a, desk));
    const fresh = here.filter(
      (a) => a.priority === "P2" && waits(a) && !this.#told.has(a.id),
    );
    this.#told = new Set(
      alarms.filter((a) => a.priority === "P2").map((a) => a.id),
    );
    const first = !this.#began;
    this.#began = true;
    if (here.some(grave)) {
      if (nowMs - this.#lastMs < AGAIN_MS) return null;
      this.#lastMs = nowMs;
      return "p1";
    }
    // The next P1 is heard at once.
    this.#lastMs = Number.NEGATIVE_INFINITY;
    return fresh.length > 0 && !first ? "p2" : null;
  }
}

/** Until when it is silent: what was asked for, ten minutes at most; 0: it is not. */
export const muteUntil = (nowMs: number, forMs: number): number =>
  nowMs + Math.max(0, Math.min(forMs, MUTE_MS));
