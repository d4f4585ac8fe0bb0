// From a sensor's own time to the glass (N2): for every source, how old a reading was when the frame that shows it was painted. Pure.

/** Samples of the last minute; more than so many of one source tell nothing more. */
const KEPT = 64;
const LIFE_MS = 60_000;

export interface Glass {
  p50: number;
  p95: number;
  p99: number;
  /** The source whose 95th percentile is worst. */
  worst: string;
  worstMs: number;
  /** So many sources were measured; of one alone it need not be said that it is the worst. */
  sources: number;
  n: number;
}

const rank = (sorted: readonly number[], q: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;

export class GlassTimes {
  #of = new Map<string, { at: number; ms: number }[]>();

  /** A reading of a source was painted at a time of the server, ms after it was taken. */
  add(source: string, at: number, ms: number): void {
    if (!Number.isFinite(ms)) return;
    const kept = this.#of.get(source) ?? [];
    kept.push({ at, ms: Math.max(0, ms) });
    if (kept.length > KEPT) kept.shift();
    this.#of.set(source, kept);
  }

  /** Over the last minute; null: nothing was painted in it. Every source counts alike, however much it sends. */
  figures(now: number): Glass | null {
    const all: number[] = [];
    let worst = "";
    let worstMs = -1;
    for (const [source, kept] of this.#of) {
      const fresh = kept.filter((s) => Math.abs(now - s.at) < LIFE_MS);
      if (fresh.length === 0) {
        this.#of.delete(source);
        continue;
      }
      if (fresh.length < kept.length) this.#of.set(source, fresh);
      const sorted = fresh.map((s) => s.ms).sort((a, b) => a - b);
      all.push(...sorted);
      const p95 = rank(sorted, 0.95);
      if (p95 > worstMs) {
        worstMs = p95;
        worst = source;
      }
    }
    if (all.length === 0) return null;
    all.sort((a, b) => a - b);
    return {
      p50: rank(all, 0.5),
      p95: rank(all, 0.95),
      p99: rank(all, 0.99),
      worst,
      worstMs,
      sources: this.#of.size,
      n: all.length,
    };
  }
}
