// One phone of one crew: its unit, its task, its outbox, and how far the house knows of it.
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
import {
  keepAct,
  NoRoom,
  readActs,
  readKnown,
  writeActs,
  writeKnown,
} from "./keep";
import { listen, type Ear } from "./live";
import {
  backoff,
  callOf,
  cryIn,
  GRACE_MS,
  stamp,
  standing,
  taskOf,
  unread,
  type Act,
  type Doing,
  type Resolution,
  type Step,
} from "./outbox";
import { NoPicture, scaled } from "./photo";
import { whereNow } from "./position";
import { CHANNEL, locate, send, sendUrgent, SYNC, takeBack } from "./post";
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

const TICK_MS = 1_000;
const POLL_MS = 20_000;
/** While the socket tells of changes. */
const POLL_LIVE_MS = 60_000;
const PLACE_MS = 24 * 3_600_000;
/** The house tells its clock in whole seconds; a smaller difference is none. */
const CLOCK_MS = 2_000;
const ENDED = ["cancelled", "expired", "declined", "done"];

interface Syncing {
  sync?: { register: (tag: string) => Promise<void> };
}

export class Crew {
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
  /** When sending is tried again, by the phone's clock; null: nothing waits. */
  nextAt = $state<number | null>(null);
  sending = $state(false);
  fault = $state<Fault>("");
  /** The task that somebody else has ended. */
  gone = $state.raw<Dispatch | null>(null);
  /** The post has cleared this crew's call for help, and nobody has read that yet. */
  cleared = $state(false);
  readonly track = new Track(() => this.#ahead);

  #ahead = 0;
  #fails = 0;
  /** When a call for help is tried next, by the phone's clock. */
  #cryAt: number | null = null;
  #readPhone = -Infinity;
  #looking = false;
  /** Asked for the whole while it was looking. */
  #again = false;
  #open = false;
  #ear: Ear | null = null;
  #stop: (() => void)[] = [];
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

  async start(): Promise<void> {
    await this.#recall();
    const tick = setInterval(() => {
      this.#tick();
    }, TICK_MS);
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => {
      if (data === "look") void this.look();
      else void this.#reload();
    };
    const back = () => {
      if (document.visibilityState !== "visible") return;
      void this.look(true);
      void this.drain(true);
      void this.#cry();
    };
    addEventListener("online", back);
    document.addEventListener("visibilitychange", back);
    this.#stop = [
      () => {
        clearInterval(tick);
      },
      () => {
        channel.close();
      },
      () => {
        removeEventListener("online", back);
      },
      () => {
        document.removeEventListener("visibilitychange", back);
      },
    ];
    void this.#cry();
    await this.look(true);
    void this.drain(true);
  }

  stop(): void {
    for (const end of this.#stop) end();
    this.#ear?.close();
    this.track.close();
  }

  /** What this phone knew when it was open last. */
  async #recall(): Promise<void> {
    try {
      const known = await readKnown<Known>("crew");
      this.place = (await readKnown<Place>("place")) ?? null;
      if (known) {
        const { subject, name, unit, units, sent, cases, readAt } = known;
        Object.assign(this, { subject, name, unit, sent, cases, readAt });
        this.units = units ?? [];
      }
      await this.#reload();
    } catch {
      this.fault = "closed";
    }
  }

  async #reload(): Promise<void> {
    this.acts = await readActs();
  }

  #tick(): void {
    this.now = Date.now() + this.#ahead;
    this.track.tick(Date.now());
    if (this.#cryAt !== null && cryIn(this.#cryAt, Date.now()) === 0)
      void this.#cry();
    if (document.visibilityState !== "visible") return;
    const poll = this.#open ? POLL_LIVE_MS : POLL_MS;
    if (this.line !== "out" && Date.now() - this.#readPhone > poll)
      void this.look(this.line !== "on");
    if (this.nextAt !== null && this.nextAt <= Date.now()) void this.drain();
  }

  #answered(status: number, at?: number): boolean {
    if (at !== undefined) {
      const ahead = at - Date.now();
      this.#ahead = Math.abs(ahead) < CLOCK_MS ? 0 : ahead;
      this.now = Date.now() + this.#ahead;
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
      this.#again ||= whole;
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
      if (this.#again) {
        this.#again = false;
        void this.look(true);
      }
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
        await this.#note("place", place);
      }
    }
    this.#hear();
    return true;
  }

  #hear(): void {
    this.#ear ??= listen(new URL(location.href), {
      onLine: (open) => {
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
    await this.#note("crew", {
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
  async #note(name: string, value: unknown): Promise<void> {
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

  /** Sends what waits. `hurry`: pauses are over, the network may be back. */
  async drain(hurry = false): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      const { next, status, sent } = await send(hurry);
      await this.#reload();
      if (status === 401) this.line = "out";
      this.#fails = status === 0 ? this.#fails + 1 : 0;
      const pause =
        this.#fails > 0
          ? Date.now() + backoff(this.#fails - 1, Math.random())
          : 0;
      this.nextAt =
        next === null || status === 401 ? null : Math.max(next, pause);
      if (sent > 0) void this.look();
    } catch {
      this.fault = "closed";
    } finally {
      this.sending = false;
    }
  }

  /** Sends the call for help that waits, and says when it is tried again. */
  async #cry(hurry = false): Promise<void> {
    this.#cryAt = null;
    try {
      const waited = callOf(this.acts) !== undefined;
      this.#cryAt = await sendUrgent(hurry);
      await this.#reload();
      if (waited && this.#cryAt === null) void this.look(true);
      // It did not get through: the page says so at once, and not with its next question.
      else if ((callOf(this.acts)?.tries ?? 0) > 0) void this.look();
    } catch {
      this.fault = "closed";
    }
  }

  /** Calls for help, in a few seconds; answers whether the phone has kept it. A call that waits already stands. */
  async help(): Promise<boolean> {
    if (callOf(this.acts)) return true;
    this.cleared = false;
    const place = whereNow(this.track.fix, Date.now());
    const kept = await this.#keep(
      { ...this.#alone(), kind: "panic", unit: this.unit, ...place },
      Date.now() + GRACE_MS,
    );
    this.#cryAt = callOf(this.acts)?.next ?? null;
    if (kept) void this.#whereabouts();
    return kept;
  }

  /** Where the phone is now, asked while the call can still be taken back. */
  async #whereabouts(): Promise<void> {
    const place = whereNow(await this.track.here(), Date.now());
    if (place) await locate(place).catch(() => null);
    await this.#reload();
  }

  /** Takes a call for help back that has not left the phone. */
  async unhelp(): Promise<void> {
    await takeBack();
    await this.#reload();
  }

  /** A call for help is tried at once. */
  hurry(): void {
    void this.#cry(true);
  }

  /** Answers a roll call. */
  well(): Promise<boolean> {
    return this.#keep({ ...this.#alone(), kind: "well", unit: this.unit });
  }

  /** What an act says of itself that is about no task. */
  #alone() {
    return {
      at: stamp(Date.now(), this.#ahead, null, []),
      by: this.subject,
      incident: "",
      dispatch: "",
      title: "",
    };
  }

  async #keep(doing: Doing, next = 0): Promise<boolean> {
    this.fault = "";
    try {
      await keepAct(doing, next);
    } catch (fault) {
      this.fault = fault instanceof NoRoom ? "room" : "closed";
      return false;
    }
    await this.#reload();
    if ("storage" in navigator)
      void navigator.storage.persist().catch(() => false);
    void this.#wake();
    void this.drain();
    return true;
  }

  /** Asks the browser to send by itself where the page is closed before there is a network. */
  async #wake(): Promise<void> {
    try {
      const worker = await navigator.serviceWorker.getRegistration("/field");
      await (worker as Syncing | undefined)?.sync?.register(SYNC);
    } catch {
      // It is sent when the page is opened.
    }
  }

  #of(task: Dispatch) {
    return {
      at: stamp(Date.now(), this.#ahead, task, this.acts),
      by: this.subject,
      incident: task.incident,
      dispatch: task.id,
      title: this.cases[task.incident]?.title ?? "",
    };
  }

  /** Each act answers whether the phone has kept it. */
  step(task: Dispatch, to: Step, reason = ""): Promise<boolean> {
    return this.#keep({
      ...this.#of(task),
      kind: "step",
      to,
      ...(reason && { reason }),
    });
  }

  note(task: Dispatch, text: string): Promise<boolean> {
    return this.#keep({ ...this.#of(task), kind: "note", text });
  }

  resolve(task: Dispatch, said: Resolution): Promise<boolean> {
    return this.#keep({ ...this.#of(task), kind: "resolve", ...said });
  }

  async photo(task: Dispatch, file: Blob): Promise<boolean> {
    const of = this.#of(task);
    let photo: Blob;
    try {
      photo = await scaled(file);
    } catch (fault) {
      this.fault = fault instanceof NoPicture ? "picture" : "room";
      return false;
    }
    return this.#keep({ ...of, kind: "photo", photo, bytes: photo.size });
  }

  /** Somebody has read what became of acts. */
  async read(acts: readonly Act[]): Promise<void> {
    await writeActs(acts.map((a) => ({ ...a, read: true })));
    await this.#reload();
  }

  /** What is left of an offer, milliseconds; null: it is none, or the crew has answered. */
  left(task: Dispatch): number | null {
    if (standing(task, this.acts) !== "offered") return null;
    const until = instant(task.expires_at);
    return until === null ? null : Math.max(0, until - this.now);
  }
}
