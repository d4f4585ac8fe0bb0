// The server's time on this screen: what hello said, carried on by the monotonic clock, never by the local one.

export class ServerClock {
  #monotonic: () => number;
  #base: number | null = null;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Takes the server's time, milliseconds since 1970, as it is now. */
  set(serverMs: number): void {
    this.#base = serverMs - this.#monotonic();
  }

  get known(): boolean {
    return this.#base !== null;
  }

  /** Milliseconds since 1970 by the server, or null before it has spoken. */
  now(): number | null {
    return this.#base === null ? null : this.#base + this.#monotonic();
  }

  /** The server's time at a monotonic instant. */
  at(monotonic: number): number | null {
    return this.#base === null ? null : this.#base + monotonic;
  }
}
