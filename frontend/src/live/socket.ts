// The live socket as a small state machine: connecting, live, stale, offline. It knows no noun and no screen;
// clock, timers, chance and the socket itself are handed in, so that a test can drive it by the second.

export type Phase = "connecting" | "live" | "stale" | "offline";

import type { Message } from "../wire/binary";
import { CLOSE_CHANGED } from "../wire/wire";

export type { Message } from "../wire/binary";

export interface View {
  bbox: [number, number, number, number];
  zoom: number;
  layers: string[];
  /** Of which wall to tell what it is set to, or "*"; a wall is told of itself, whatever it names. */
  wall?: string;
}

/** What we use of a WebSocket. */
export interface Wire {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((bytes: Uint8Array) => void) | null;
  onclose: ((code: number, reason?: string) => void) | null;
}

export interface Surroundings {
  open: () => Wire;
  /** Monotonic milliseconds. */
  now: () => number;
  /** 0..1 */
  random: () => number;
  every: (ms: number, run: () => void) => () => void;
  /** Reads one message; null for rows, which went to their sinks. Throws where the bytes are no message. */
  read: (bytes: Uint8Array) => Message | null;
  /** Every message but rows. */
  onMessage: (message: Message) => void;
  onChange: (status: Status) => void;
  /** A socket was refused before it opened: perhaps the session ended. */
  onRefused?: (attempt: number) => void;
  /** The server has closed an open socket, with this code and in these words. */
  onClosed?: (code: number, reason: string) => void;
}

export interface Status {
  phase: Phase;
  /** Monotonic time of the last message, null before the first. */
  heardAt: number | null;
  /** Attempts to connect since the last message. */
  attempt: number;
  /** Monotonic time of the next attempt, null while one is under way. */
  retryAt: number | null;
}

/** Messages come at least once a second; two missed ones are worth showing. */
export const STALE_MS = 3_000;
/** An open but silent socket is lost from here on: within the 10 s that a wall may take. */
export const LOST_MS = 8_000;
/** A closed socket that does not come back is lost sooner. */
export const LOST_CLOSED_MS = 4_000;
export const PING_MS = 5_000;
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 10_000;
/** After rights have changed. */
export const CHANGED_MS = 200;
const TICK_MS = 250;
/** A tick so late says that the page was busy and heard nobody: what came meanwhile still waits to be heard. */
const LATE_TICK_MS = 2 * TICK_MS;
/** Silent for so long by the clock is lost however busy the page was, as soon as it has had a turn to hear. */
export const LOST_BUSY_MS = 4 * LOST_MS;

export class Live {
  #around: Surroundings;
  #wire: Wire | null = null;
  #opened = false;
  #greeted = false;
  #settled = false;
  #view: View | null = null;
  #cursor: string | null = null;
  #startedAt: number;
  #pingedAt = 0;
  #tickedAt = 0;
  /** Milliseconds since the last word in which the page was too busy to hear one. */
  #busy = 0;
  #connectedAt = 0;
  #everLive = false;
  #stop: (() => void) | null = null;
  #status: Status = {
    phase: "connecting",
    heardAt: null,
    attempt: 0,
    retryAt: null,
  };

  constructor(around: Surroundings) {
    this.#around = around;
    this.#startedAt = around.now();
  }

  get status(): Status {
    return this.#status;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  start(): void {
    this.#startedAt = this.#tickedAt = this.#around.now();
    this.#stop = this.#around.every(TICK_MS, () => {
      this.#tick();
    });
    this.#connect();
  }

  /** Ends for good; no message and no change comes after it. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
    this.#drop();
  }

  /** What the screen looks at; the same again asks nothing. Asked again by itself after every reconnect, with the cursor reached. */
  look(view: View): void {
    const same = JSON.stringify(view) === JSON.stringify(this.#view);
    this.#view = view;
    if (this.#greeted && !same) this.#ask(null);
  }

  /** Tells the house which alarms somebody has before their eyes. Lost where there is no socket: whoever tells it tells it again. */
  painted(alarms: readonly string[]): void {
    if (this.#settled)
      this.#wire?.send(JSON.stringify({ op: "painted", alarms }));
  }

  #connect(): void {
    this.#opened = false;
    this.#busy = 0;
    this.#connectedAt = this.#around.now();
    this.#set({ attempt: this.#status.attempt + 1, retryAt: null });
    const wire = this.#around.open();
    this.#wire = wire;
    wire.onopen = () => {
      if (this.#wire !== wire) return;
      this.#opened = true;
      this.#pingedAt = this.#around.now();
    };
    wire.onmessage = (bytes) => {
      if (this.#wire === wire) this.#hear(bytes);
    };
    wire.onclose = (code, reason = "") => {
      if (this.#wire === wire) this.#closed(code, reason);
    };
  }

  #hear(bytes: Uint8Array): void {
    let message: Message | null;
    try {
      message = this.#around.read(bytes);
    } catch {
      // What is no message tells nothing and is no sign of life.
      return;
    }
    this.#busy = 0;
    this.#status = { ...this.#status, heardAt: this.#around.now() };
    if (message === null) {
      this.#judge();
      return;
    }
    if (message.type === "hello") {
      this.#greeted = true;
      this.#around.onMessage(message);
      if (this.#view) this.#ask(this.#cursor);
      return;
    }
    this.#keepCursor(message);
    this.#around.onMessage(message);
    if (message.type === "snapshot") {
      this.#settled = true;
      this.#set({ phase: "live", attempt: 0 });
      return;
    }
    this.#judge();
  }

  #keepCursor(message: Message): void {
    if (typeof message.cursor === "string" && message.cursor !== "") {
      this.#cursor = message.cursor;
    }
  }

  #ask(cursor: string | null): void {
    const view = this.#view;
    if (!view) return;
    this.#wire?.send(
      JSON.stringify(
        cursor === null
          ? { op: "view", ...view }
          : { op: "view", ...view, cursor },
      ),
    );
  }

  #closed(code = 0, reason = ""): void {
    const refused = !this.#opened;
    this.#drop();
    const { attempt } = this.#status;
    if (!refused && code === CLOSE_CHANGED) {
      // The same desk under other rights: it comes back at once, after the answer that brought the new cookie.
      this.#set({ retryAt: this.#around.now() + CHANGED_MS });
      this.#around.onClosed?.(code, reason);
      this.#judge();
      return;
    }
    const ceiling = Math.min(
      BACKOFF_MAX_MS,
      BACKOFF_MS * 2 ** Math.min(attempt, 10),
    );
    // Half of it is fixed, half is chance: walls of one house do not come back in step.
    const wait = ceiling / 2 + (ceiling / 2) * this.#around.random();
    this.#set({ retryAt: this.#around.now() + wait });
    if (refused) this.#around.onRefused?.(attempt);
    else this.#around.onClosed?.(code, reason);
    this.#judge();
  }

  #drop(): void {
    const wire = this.#wire;
    this.#wire = null;
    this.#greeted = false;
    this.#settled = false;
    wire?.close();
  }

  #tick(): void {
    const now = this.#around.now();
    const { retryAt } = this.#status;
    if (this.#wire === null && retryAt !== null && now >= retryAt) {
      this.#connect();
    } else if (this.#opened && this.#wire && now - this.#pingedAt >= PING_MS) {
      this.#pingedAt = now;
      this.#wire.send('{"op":"ping"}');
    }
    const gap = now - this.#tickedAt;
    this.#tickedAt = now;
    if (this.#silence() - gap >= LOST_BUSY_MS) this.#busy = 0;
    else if (gap > LATE_TICK_MS) {
      this.#busy += Math.min(gap - TICK_MS, this.#silence());
    }
    // A socket that says nothing for so long is dead, whatever the system thinks of it.
    const since = Math.max(this.#connectedAt, this.#status.heardAt ?? 0);
    if (this.#wire && now - since - this.#busy >= LOST_MS) {
      this.#closed();
      return;
    }
    this.#judge();
  }

  /** Milliseconds since the last word, by the clock. */
  #silence(): number {
    return this.#around.now() - (this.#status.heardAt ?? this.#startedAt);
  }

  /** Sets the phase by what was heard and when. A slow frame is no silence. */
  #judge(): void {
    const silent = this.#silence() - this.#busy;
    const connected = this.#wire !== null && this.#settled;
    if (connected && silent < STALE_MS) {
      this.#set({ phase: "live" });
    } else if (silent >= (connected ? LOST_MS : LOST_CLOSED_MS)) {
      // Before the first word a slow start gets the full time.
      const never = this.#status.heardAt === null && silent < LOST_MS;
      if (!never) this.#set({ phase: "offline" });
    } else if (this.#status.heardAt !== null && this.#everLive) {
      // Once lost it stays lost until a snapshot has come: a hello alone is no picture.
      if (this.#status.phase !== "offline") this.#set({ phase: "stale" });
    }
  }

  #set(change: Partial<Status>): void {
    const next = { ...this.#status, ...change };
    if (next.phase === "live") this.#everLive = true;
    const same =
      next.phase === this.#status.phase &&
      next.attempt === this.#status.attempt &&
      next.retryAt === this.#status.retryAt;
    this.#status = next;
    if (!same) this.#around.onChange(next);
  }
}
