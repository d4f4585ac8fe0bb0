// Which alarms somebody has before their eyes: painted on a page that is in front, at a desk where somebody works.
// The house is told, for a P1 counts as seen only so; what it has not noted yet is told again.
import type { Alarm } from "../../wire/wire";

/** Without a key or a pointer for so long nobody counts as sitting here. */
export const IDLE_MS = 5 * 60_000;
/** The house answers by the alarm itself; until then it is told again. */
export const AGAIN_MS = 5_000;
/** As many as the house takes at once. */
export const MOST = 200;

const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/** P1 and Extreme in the queue, but not what the house says of itself. */
export const watched = (a: Alarm): boolean =>
  a.presented &&
  !a.code &&
  (a.priority === "P1" || a.severity === "Extreme") &&
  a.state !== "cleared";

/** The ids of alarms that are drawn within what the window shows. */
export function painted(page: Document): Set<string> {
  const ids = new Set<string>();
  for (const face of page.querySelectorAll<HTMLElement>("[data-alarm]")) {
    const { top, bottom, width } = face.getBoundingClientRect();
    const id = face.dataset.alarm ?? "";
    if (width > 0 && bottom > 0 && top < innerHeight) ids.add(id);
  }
  return ids;
}

export class Eyes {
  #touchedAt: number;
  #toldAt = new Map<string, number>();

  /** Who opens a page is there. now: monotonic milliseconds. */
  constructor(now: number) {
    this.#touchedAt = now;
  }

  touched(now: number): void {
    this.#touchedAt = now;
  }

  /** The ids to tell now. front: the page is in front, and nothing covers it. */
  step(alarms: readonly Alarm[], front: boolean, now: number): string[] {
    const here = new Set(alarms.map((a) => a.id));
    for (const id of this.#toldAt.keys())
      if (!here.has(id)) this.#toldAt.delete(id);
    if (!front || now - this.#touchedAt >= IDLE_MS) return [];
    const due = alarms
      .filter(
        (a) =>
          watched(a) &&
          !a.painted &&
          now - (this.#toldAt.get(a.id) ?? -Infinity) >= AGAIN_MS,
      )
      .slice(0, MOST)
      .map((a) => a.id);
    for (const id of due) this.#toldAt.set(id, now);
    return due;
  }

  /** Looks for hands at the desk until it is stopped. */
  watch(now: () => number): () => void {
    const touch = (): void => {
      this.touched(now());
    };
    for (const name of TOUCHES)
      addEventListener(name, touch, { capture: true, passive: true });
    return () => {
      for (const name of TOUCHES)
        removeEventListener(name, touch, { capture: true });
    };
  }
}
