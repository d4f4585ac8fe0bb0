// Which new incidents are said aloud to a screen reader: critical and high ones that came after the desk was opened.
import type { Incident } from "../../wire/wire";
import { unacknowledged } from "../incidents/rank";

export class Herald {
  #known: Set<string> | null = null;

  /** Those that are new since it was asked last. The first picture announces nothing: it is read from the list. */
  fresh(incidents: readonly Incident[]): Incident[] {
    const known = this.#known;
    this.#known = new Set(incidents.map((i) => i.id));
    if (known === null) return [];
    return incidents.filter(
      (i) =>
        !known.has(i.id) &&
        unacknowledged(i) &&
        (i.severity === "Extreme" || i.severity === "Severe"),
    );
  }
}
