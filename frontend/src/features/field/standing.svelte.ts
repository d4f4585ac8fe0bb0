// What a phone knows of its crew: its unit, its orders, what it has kept itself, and how far the house answers.
import { fetchMe } from "../../api/session";
import { instant } from "../../i18n/format";
import type { Known as Case } from "../../api/incidents";
import type { Dispatch, Unit } from "../../wire/wire";
import {
  fetchCase,
  fetchPlace,
  fetchSent,
  fetchUnits,
  tellReceipt,
  type Place,
} from "./house";
import { NoRoom, readActs, readKnown, writeKnown } from "./keep";
import { listen, type Ear } from "./live";
import { standing, taskOf, unread, type Act } from "./outbox";
import { Track } from "./track.svelte";

/** What the house answered last; it stands until it answers again, with its age beside it. */
interface Known {
  subject: string;
  name: string;
  unit: string;
  /** Not there: kept by a page from before units were. */
  units?: readonly Unit[];
  sent: Dispatch[];
  cases: Record<string, Case>;
  readAt: number | null;
}

/** `out`: nobody is signed in. `denied`: who is signed in rides with no unit. */
export type Line = "asking" | "on" | "off" | "out" | "denied";
/** What went wrong on the phone itself. */
export type Fault = "" | "room" | "closed" | "picture";

const POLL_MS = 20_000;
/** While the socket tells of changes. */
const POLL_LIVE_MS = 60_000;
const PLACE_MS = 24 * 3_600_000;
/** The house tells its clock in whole seconds; a smaller difference is none. */
const CLOCK_MS = 2_000;
const ENDED = ["cancelled", "expired", "declined", "done"];

export class Standing {
  subject = $state("");
  name = $state("");
  /** Empty: none is chosen yet. */
  unit = $state("");
  units = $state.raw<readonly Unit[]>([]);
  sent = $state.raw<readonly Dispatch[]>([]);
  cases = $state.raw<Readonly<Record<string, Case>>>({});
  acts = $state.raw<readonly Act[]>([]);
  place = $state.raw<Place | null>(null);
  line = $state<Line>("asking");
  offSince = $state<number | null>(null);
  /** When the house answered last, by its clock. */
  readAt = $state<number | null>(null);
  /** The house's clock. */
  now = $state(Date.now());
  fault = $state<Fault>("");
  /** The task that somebody else has ended. */
  gone = $state.raw<Dispatch | null>(null);
  /** The post has cleared this crew's call for help, and nobody has read that yet. */
  cleared = $state(false);
  readonly track = new Track(() => this.ahead);

  /** How far the house's clock is ahead of the phone's, milliseconds. */
  protected ahead = 0;
  #readPhone = -Infinity;
  #looking = false;
  /** Asked for the whole while it was looking. */
  /** Asked for while it was asking: what was asked before may be of before. */
  #again: "" | "part" | "whole" = "";
  #open = false;
  #ear: Ear | null = null;
  /** Orders whose opening was told. */
  #told = new Set<string>();

  get task(): Dispatch | null {
    return taskOf(this.sent, this.acts);
  }
  get case(): Case | null {
    return (this.task && this.cases[this.task.incident]) ?? null;
  }
  /** The unit as the house knows it. */
  get mine(): Unit | null {
    return this.units.find((u) => u.id === this.unit) ?? null;
  }
  /** On duty, or on a task, whatever its roster says. */
  get onDuty(): boolean {
    return (
      this.unit !== "" &&
      (this.task !== null || (this.mine?.status ?? "off_duty") !== "off_duty")
    );
  }
  get zone(): string {
    return (
      this.place?.zone || new Intl.DateTimeFormat().resolvedOptions().timeZone
    );
  }
  get untaken(): Act[] {
    return unread(this.acts);
  }
  /** What the post can be called by; empty: nobody has said. */
  get hotline(): string {
    return this.place?.hotlines[this.unit.split("/")[0] ?? ""] ?? "";
  }

  /** What is left of an offer, milliseconds; null: it is none, or the crew has answered. */
  left(task: Dispatch): number | null {
    if (standing(task, this.acts) !== "offered") return null;
    const until = instant(task.expires_at);
    return until === null ? null : Math.max(0, until - this.now);
  }

  /** It is time to ask the house again, though nothing was heard. */
  protected get due(): boolean {
    const poll = this.#open ? POLL_LIVE_MS : POLL_MS;
    return this.line !== "out" && Date.now() - this.#readPhone > poll;
  }

  /** Hears and looks at nothing any more. */
  protected close(): void {
    this.#ear?.close();
    this.track.close();
  }

  /** What this phone knew when it was open last. */
  protected async recall(): Promise<void> {
    try {
      const known = await readKnown<Known>("crew");
      this.place = (await readKnown<Place>("place")) ?? null;
      if (known) {
        const { subject, name, unit, units, sent, cases, readAt } = known;
        Object.assign(this, { subject, name, unit, sent, cases, readAt });
        this.units = units ?? [];
      }
      await this.reload();
    } catch {
      this.fault = "closed";
    }
  }

  protected async reload(): Promise<void> {
    this.acts = await readActs();
  }

  #answered(status: number, at?: number): boolean {
    if (at !== undefined) {
      const ahead = at - Date.now();
      this.ahead = Math.abs(ahead) < CLOCK_MS ? 0 : ahead;
      this.now = Date.now() + this.ahead;
    }
    const off = status === 0 || status >= 500;
    if (off) this.offSince ??= this.now;
    else this.offSince = null;
    this.line =
      status === 200
        ? "on"
        : status === 401
          ? "out"
          : status === 403
            ? "denied"
            : off
              ? "off"
              : this.line;
    return status === 200;
  }

  /** Asks the house anew. `whole`: also who we are and what there is to choose. */
  async look(whole = false): Promise<void> {
    if (this.#looking) {
      if (this.#again !== "whole") this.#again = whole ? "whole" : "part";
      return;
    }
    this.#looking = true;
    this.#readPhone = Date.now();
    try {
      if ((whole || this.subject === "") && !(await this.#who())) return;
      if (this.unit !== "") await this.#tasks();
      if (this.line === "on") void this.track.tell();
    } finally {
      this.#looking = false;
      const again = this.#again;
      this.#again = "";
      if (again !== "") void this.look(again === "whole");
    }
  }

  async #who(): Promise<boolean> {
    const me = await fetchMe();
    if (!this.#answered(me.ok ? 200 : me.status, me.at) || !me.ok) return false;
    if (me.body.subject !== this.subject) {
      const { subject, name } = me.body;
      Object.assign(this, { subject, name, unit: "", sent: [], cases: {} });
      await writeKnown("subject", subject);
    }
    this.name = me.body.name;
    const units = await fetchUnits();
    if (!this.#answered(units.ok ? 200 : units.status) || !units.ok)
      return false;
    const called = (this.mine?.panic ?? null) !== null;
    this.units = units.body.items;
    if (called && this.mine?.panic === null) this.cleared = true;
    const only = this.units.length === 1 ? this.units[0] : undefined;
    if (only) this.unit = only.id;
    else if (!this.units.some((u) => u.id === this.unit)) this.unit = "";
    if (!this.place || Date.now() - this.place.readAt > PLACE_MS) {
      const place = await fetchPlace(Date.now());
      if (place) {
        this.place = place;
        await this.#keepKnown("place", place);
      }
    }
    this.#hear();
    return true;
  }

  #hear(): void {
    this.#ear ??= listen(new URL(location.href), {
      onLine: (open) => {
        if (this.#open && !open) void this.look();
        this.#open = open;
      },
      onChange: (noun, id) => {
        if (noun === "incident" && !(id in this.cases)) return;
        if (noun === "unit" && id !== this.unit) return;
        void this.look(noun === "unit");
      },
    });
  }

  async #tasks(): Promise<void> {
    const sent = await fetchSent(this.unit);
    if (!this.#answered(sent.ok ? 200 : sent.status, sent.at) || !sent.ok)
      return;
    const was = this.task;
    this.sent = sent.body.items;
    this.readAt = this.now;
    const now = was && this.sent.find((d) => d.id === was.id);
    if (now && ENDED.includes(now.status) && !this.#own(now)) this.gone = now;
    const task = this.task;
    if (task) {
      const one = await fetchCase(task.incident);
      if (one) this.cases = { [one.id]: one };
      await this.#seen(task);
    }
    await this.#save();
  }

  /** Tells that somebody has the order before their eyes. */
  async #seen({ id, status, receipt }: Dispatch): Promise<void> {
    const visible = document.visibilityState === "visible";
    if (status !== "offered" || receipt.seen !== null || !visible) return;
    if (this.#told.has(id)) return;
    const answer = await tellReceipt(
      id,
      "seen",
      new Date(this.now).toISOString(),
    );
    if (answer.ok || answer.status !== 0) this.#told.add(id);
  }

  /** The crew itself has brought it to where it stands. */
  #own(d: Dispatch): boolean {
    return this.acts.some(
      (a) => a.kind === "step" && a.dispatch === d.id && a.to === d.status,
    );
  }

  async #save(): Promise<void> {
    const { subject, name, unit, units, sent, cases, readAt } = this;
    await this.#keepKnown("crew", {
      subject,
      name,
      unit,
      units,
      sent,
      cases,
      readAt,
    });
  }

  /** What is only for convenience may fail to be kept. */
  async #keepKnown(name: string, value: unknown): Promise<void> {
    try {
      await writeKnown(name, value);
    } catch (fault) {
      if (fault instanceof NoRoom) this.fault = "room";
    }
  }

  async choose(unit: string): Promise<void> {
    this.unit = unit;
    this.sent = [];
    await this.#save();
    await this.look();
  }
}
