// How this desk wants its map drawn; kept on the desk, as its theme is.
const KEY = "kentongan.map";
/** The hatching never goes: what nobody observes must not look watched. */
export const WEAKEST = 0.2;

class MapLook {
  /** Trails of units are drawn. */
  trails = $state(true);
  /** The base map of the profile is drawn under our layers. */
  base = $state(true);
  /** How strong the ground's hatching is, WEAKEST to 1. */
  ground = $state(1);

  /** Takes over what this desk has kept. */
  recall(): void {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
      if (typeof kept !== "object" || kept === null) return;
      if ("trails" in kept) this.trails = kept.trails !== false;
      if ("base" in kept) this.base = kept.base !== false;
      if ("ground" in kept) this.ground = strength(kept.ground);
    } catch {
      // Storage is closed to us, or holds something else: the map is as it is for everybody.
    }
  }

  keep(): void {
    const { trails, base, ground } = this;
    try {
      localStorage.setItem(KEY, JSON.stringify({ trails, base, ground }));
    } catch {
      // As above: the choice lasts as long as the page.
    }
  }
}

/** A strength that can be drawn; the whole where it is none. */
export function strength(of: unknown): number {
  return typeof of === "number" && Number.isFinite(of)
    ? Math.min(1, Math.max(WEAKEST, of))
    : 1;
}

export const mapLook = new MapLook();
