// The last n measurements and their quantiles.

export class Spread {
  #values: number[] = [];
  #next = 0;
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#room;
  }

  /** The nearest-rank quantile, or null where nothing was measured yet. */
  quantile(q: number): number | null {
    if (this.#values.length === 0) return null;
    const sorted = [...this.#values].sort((a, b) => a - b);
    const rank = Math.ceil(q * sorted.length) - 1;
    return sorted[Math.max(0, Math.min(sorted.length - 1, rank))] ?? null;
  }
}
