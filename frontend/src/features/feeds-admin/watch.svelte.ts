// What this page knows of the feeds: asked for once a second while somebody looks, with the server's clock, and how long nobody has answered.
import { fetchFeeds, type FeedRow } from "../../api/feeds";
import { whoAmI, type Me } from "../../api/me";
import { fetchProfile, SignedOut, type Profile } from "../../api/profile";
import { fetchStorage } from "../../api/ready";
import { ServerClock } from "../../live/clock";
import { toLogin } from "../attend";
import { lineOf, type Line, type Stand } from "./table";

/** As the socket's: after so long without a word the picture is stale, then lost. */
const STALE_MS = 4_000;
const LOST_MS = 8_000;
const EVERY_MS = 1_000;
/** Nobody looks: the page asks seldom, so that it is not wholly old when somebody does. */
const HIDDEN_MS = 15_000;
const RETRY_MS = 5_000;
/** The clock of an answer counts whole seconds: less than this is no difference. */
const DRIFT_MS = 1_500;
const STEPS_KEPT = 50;

/** A state that a feed had from a moment on. */
export interface Step {
  at: number;
  stand: Stand;
  reason: string;
}

export type Phase = "connecting" | "live" | "stale" | "lost";

export class Watch {
  feeds = $state.raw<readonly FeedRow[]>([]);
  me = $state.raw<Me | null>(null);
  profile = $state.raw<Profile | null>(null);
  storage = $state("");
  /** Milliseconds since 1970 by the server, moved once a second; 0 before it has spoken. */
  now = $state(0);
  phase = $state<Phase>("connecting");
  /** A first list has come: an empty one now means that there are none. */
  settled = $state(false);
  /** May not read the feeds. */
  forbidden = $state(false);
  heardAt = $state<number | null>(null);
  lines: Line[] = $derived(this.feeds.map((f) => lineOf(f, this.#when)));
  steps = $state.raw<ReadonlyMap<string, readonly Step[]>>(new Map());

  #clock = new ServerClock(() => performance.now());
  #heard: number | null = null;
  #since = performance.now();
  #timers: Record<string, ReturnType<typeof setTimeout>> = {};
  #stopped = false;

  get zone(): string {
    return this.profile?.time_zone ?? "UTC";
  }

  get lost(): boolean {
    return this.phase === "lost";
  }

  /** While lost the ages stand still: the picture is of the moment it stopped. */
  get #when(): number {
    return this.lost ? (this.heardAt ?? this.now) : this.now;
  }
  get when(): number {
    return this.#when;
  }

  get simulated(): boolean {
    return this.feeds.some((f) => f.simulated);
  }

  can(right: string): boolean {
    return this.me?.rights.includes(right) ?? false;
  }

  start(): () => void {
    void this.#ask();
    void this.#learn();
    this.#step();
    const seen = () => {
      if (!document.hidden) this.again();
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      this.#stopped = true;
      document.removeEventListener("visibilitychange", seen);
      for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    };
  }

  /** Asks at once: something was changed. */
  again(): void {
    clearTimeout(this.#timers["ask"]);
    void this.#ask();
  }

  #later(what: string, run: () => void, ms: number): void {
    clearTimeout(this.#timers[what]);
    if (!this.#stopped) this.#timers[what] = setTimeout(run, ms);
  }

  #step = (): void => {
    const now = this.#clock.now();
    if (now !== null) this.now = now;
    const silent = performance.now() - (this.#heard ?? this.#since);
    if (silent > LOST_MS) this.phase = "lost";
    else if (silent > STALE_MS && this.#heard !== null) this.phase = "stale";
    else this.phase = this.#heard === null ? "connecting" : "live";
    this.#later("step", this.#step, EVERY_MS);
  };

  #asking = false;
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const answer = await fetchFeeds();
    this.#asking = false;
    this.#later(
      "ask",
      () => void this.#ask(),
      document.hidden ? HIDDEN_MS : EVERY_MS,
    );
    if (!answer.ok) {
      if (answer.status === 401) toLogin();
      if (answer.status !== 403) return;
    }
    // That one may not read the feeds is an answer too: other pages live on.
    this.forbidden = !answer.ok;
    this.#heard = performance.now();
    if (answer.at !== undefined) this.#set(answer.at + 500);
    this.feeds = answer.ok ? answer.body : [];
    this.settled = true;
    const now = this.#clock.now();
    if (now !== null) this.now = now;
    this.heardAt = this.now;
    this.phase = "live";
    this.#note();
  }

  #set(at: number): void {
    const known = this.#clock.now();
    if (known === null || Math.abs(at - known) > DRIFT_MS) this.#clock.set(at);
  }

  /** Keeps what has changed since this page was opened. */
  #note(): void {
    let changed = false;
    const all = new Map(this.steps);
    for (const { feed, stand } of this.lines) {
      const known = all.get(feed.name) ?? [];
      const last = known.at(-1);
      const code = (reason: string) => reason.split(":", 1)[0];
      if (last?.stand === stand && code(last.reason) === code(feed.reason)) {
        continue;
      }
      const step = { at: this.now, stand, reason: feed.reason };
      all.set(feed.name, [...known.slice(1 - STEPS_KEPT), step]);
      changed = true;
    }
    if (changed) this.steps = all;
  }

  async #learn(): Promise<void> {
    this.me ??= await whoAmI();
    this.storage = await fetchStorage();
    try {
      this.profile ??= await fetchProfile();
    } catch (fault) {
      if (fault instanceof SignedOut) toLogin();
    }
    const whole = this.me !== null && this.profile !== null;
    this.#later("learn", () => void this.#learn(), whole ? 60_000 : RETRY_MS);
  }
}
