// How the gallery is looked at; all of it stands in the address, so that a test and a colleague see the same.

export const SIGHTS = ["", "protan", "deutan", "tritan", "grey"] as const;
export type Sight = (typeof SIGHTS)[number];
export const SCALES = [1, 1.5, 2] as const;

class Settings {
  /** The one section that is shown; empty: all. */
  only = $state("");
  sight = $state<Sight>("");
  scale = $state(1);
  still = $state(false);

  /** Reads `?only=`, `?sight=`, `?scale=` and `?motion=off`. */
  read(search: string): void {
    const query = new URLSearchParams(search);
    this.only = query.get("only") ?? "";
    this.sight = SIGHTS.find((s) => s === query.get("sight")) ?? "";
    this.scale = SCALES.find((s) => String(s) === query.get("scale")) ?? 1;
    this.rest(query.get("motion") === "off");
  }

  /** With or without motion, as `?motion=off` of a wall says. */
  rest(still: boolean): void {
    this.still = still;
    document.documentElement.dataset["motion"] = still ? "off" : "on";
  }
}

export const settings = new Settings();
