// Which incident stands in focus on a wall: what nobody may miss, then what somebody before the wall has tapped, then what a desk has put there.
import type { Incident } from "../../wire/wire";
import { urgent } from "./scene";

/** So long a tap holds: whoever tapped has gone by then, and the wall is everybody's again. */
export const CHOSEN_MS = 60_000;

export class Chosen {
  id = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** A tap on an incident; on the one that is chosen: no more. */
  tap(id: string): void {
    if (this.id === id) {
      this.drop();
      return;
    }
    clearTimeout(this.#timer);
    this.id = id;
    this.#timer = setTimeout(() => {
      this.drop();
    }, CHOSEN_MS);
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.id = null;
  }
}

/** `incidents`: worst first. */
export const focusOf = (
  incidents: readonly Incident[],
  chosen: string | null,
  steered: Incident | null,
): Incident | null =>
  urgent(incidents) ??
  incidents.find((i) => i.id === chosen) ??
  steered ??
  incidents[0] ??
  null;

/** What a map that a desk steers is fitted to: what stands in focus, taps aside, for a tap moves no camera. */
export function steeredFrame(
  incidents: readonly Incident[],
  steered: Incident | null,
): readonly Incident[] | null {
  if (!steered?.location) return null;
  const worst = urgent(incidents);
  return [worst?.location ? worst : steered];
}
