// Tells the house where a phone is: only where the crew has said so, while the unit is on duty, and while the page is open.
import { tellPlace } from "./house";
import { readKnown, writeKnown } from "./keep";
import { joined, STILL_MS, worth, type Fix } from "./position";

/**
 * How it stands. `none`: this browser, or this address, tells no place. `off`: nobody has said that it may. `rest`: the unit is not on duty.
 * `lost`: the phone does not find itself. `refused`: the house takes no place from this account.
 */
export type Standing =
  "none" | "off" | "rest" | "asking" | "on" | "lost" | "denied" | "refused";

/** Whose phone it is told of, and how exactly. */
export interface Whose {
  subject: string;
  unit: string;
  duty: boolean;
  /** On a task: by satellite, which costs the battery more. */
  exact: boolean;
}

interface Kept {
  /** Not there: kept by a page from before; then it is nobody's. */
  subject?: string;
  unit: string;
  trail: readonly Fix[];
}

const KEY = "kentongan.field.place";
const KEPT = "trail";
const LATER = [0, 401, 408, 425, 429];

export class Track {
  standing = $state<Standing>("off");
  /** The last fix; null: none yet. */
  fix = $state.raw<Fix | null>(null);
  /** When the house took one last, by the phone's clock. */
  toldAt = $state<number | null>(null);
  /** What waits for a network, the oldest first. */
  trail = $state.raw<readonly Fix[]>([]);

  #of: Whose = { subject: "", unit: "", duty: false, exact: false };
  #watch: number | null = null;
  /** The last that was worth telling. */
  #last: Fix | null = null;
  #sending = false;
  #asking = false;
  /** What the house's clock shows more than the phone's. */
  readonly #ahead: () => number;

  constructor(ahead: () => number) {
    this.#ahead = ahead;
  }

  get able(): boolean {
    return isSecureContext && "geolocation" in navigator;
  }

  /** Somebody of this phone has said that it may. */
  get wanted(): boolean {
    try {
      return (
        this.#of.subject !== "" &&
        localStorage.getItem(KEY) === this.#of.subject
      );
    } catch {
      return false;
    }
  }

  /** Follows who rides, with which unit, and whether it is on duty. */
  async follow(now: Whose): Promise<void> {
    const { subject, unit, exact } = this.#of;
    const other = now.unit !== unit || now.subject !== subject;
    this.#of = now;
    if (other) {
      this.#unwatch();
      this.fix = this.#last = this.toldAt = null;
      const kept = await readKnown<Kept>(KEPT).catch(() => undefined);
      this.trail =
        kept?.unit === now.unit && kept.subject === now.subject && this.wanted
          ? kept.trail
          : [];
    } else if (now.exact !== exact) this.#unwatch();
    this.#begin();
  }

  /** From a press: the browser asks for leave. */
  share(): void {
    try {
      localStorage.setItem(KEY, this.#of.subject);
    } catch {
      // Storage is closed to us: then it cannot be kept, and is not begun.
    }
    this.#unwatch();
    this.standing = "asking";
    this.#begin();
  }

  /** What waits is not told any more either. */
  stop(): void {
    try {
      localStorage.removeItem(KEY);
    } catch {
      // As above.
    }
    this.#unwatch();
    this.fix = this.#last = this.toldAt = null;
    this.#keep([]);
    this.#begin();
  }

  /** Where the phone is now, within a few seconds; null: it does not say, or nobody has said that it may. */
  here(): Promise<Fix | null> {
    if (!this.able || !this.wanted) return Promise.resolve(null);
    return new Promise((done) => {
      navigator.geolocation.getCurrentPosition(
        ({ coords, timestamp }) => {
          const { longitude: lng, latitude: lat, accuracy } = coords;
          done({ lng, lat, accuracy, at: Math.min(timestamp, Date.now()) });
        },
        () => {
          done(null);
        },
        { enableHighAccuracy: true, maximumAge: 5_000, timeout: 4_000 },
      );
    });
  }

  close(): void {
    this.#unwatch();
  }

  #begin(): void {
    const { unit, duty } = this.#of;
    if (!this.able) this.standing = "none";
    else if (!this.wanted) this.standing = "off";
    else if (!duty || unit === "") {
      this.#unwatch();
      this.standing = "rest";
    } else if (this.#watch === null && this.standing !== "denied") {
      this.standing = "asking";
      this.#watch = navigator.geolocation.watchPosition(
        (p) => {
          this.#found(p);
        },
        (fault) => {
          this.#lost(fault);
        },
        this.#how(),
      );
    }
  }

  #how(): PositionOptions {
    return {
      enableHighAccuracy: this.#of.exact,
      maximumAge: 5_000,
      timeout: 30_000,
    };
  }

  #unwatch(): void {
    if (this.#watch !== null) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = null;
  }

  #found({ coords, timestamp }: GeolocationPosition): void {
    if (this.#watch === null) return;
    const { longitude: lng, latitude: lat, accuracy } = coords;
    // Some phones stamp a fix with the satellites' time: ahead of its own clock it is as of now.
    const at = Math.min(timestamp, Date.now());
    const fix = { lng, lat, accuracy, at };
    this.fix = fix;
    if (this.standing !== "refused") this.standing = "on";
    if (worth(this.#last, fix)) this.#take(fix);
  }

  #take(fix: Fix): void {
    this.#last = fix;
    this.#keep(joined(this.trail, fix));
    void this.tell();
  }

  #lost(fault: GeolocationPositionError): void {
    if (fault.code === fault.PERMISSION_DENIED) {
      this.#unwatch();
      this.standing = "denied";
    } else if (this.standing !== "refused") this.standing = "lost";
  }

  /** Once a second: browsers do not call again for a phone that stands still, and the house would see an old place. */
  tick(now: number): void {
    if (this.#watch === null) return;
    if (this.fix && worth(this.#last, this.fix, now)) this.#take(this.fix);
    if (now - (this.#last?.at ?? now) >= STILL_MS && !this.#asking) {
      this.#asking = true;
      navigator.geolocation.getCurrentPosition(
        (p) => {
          this.#asking = false;
          this.#found(p);
        },
        (fault) => {
          this.#asking = false;
          this.#lost(fault);
        },
        this.#how(),
      );
    }
  }

  /** Tells what waits, the newest first: that is where help would go. */
  async tell(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (;;) {
        const fix = this.trail.at(-1);
        if (!fix || this.standing === "refused") return;
        const { unit } = this.#of;
        const answer = await tellPlace(unit, fix, fix.at + this.#ahead());
        if (unit !== this.#of.unit) return;
        if (!answer.ok) {
          if (answer.status >= 500 || LATER.includes(answer.status)) return;
          if (answer.status === 403 || answer.status === 404) {
            this.standing = "refused";
            this.#keep([]);
            return;
          }
        } else this.toldAt = Date.now();
        this.#keep(this.trail.filter((f) => f !== fix));
      }
    } finally {
      this.#sending = false;
    }
  }

  #keep(trail: readonly Fix[]): void {
    this.trail = trail;
    const { subject, unit } = this.#of;
    // Only the way already gone would be missing.
    void writeKnown(KEPT, { subject, unit, trail: [...trail] }).catch(
      () => null,
    );
  }
}
