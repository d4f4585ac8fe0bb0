// One phone of one crew: what its people do, kept on the phone until the house has it.
import type { Dispatch } from "../../wire/wire";
import { keepAct, NoRoom, writeActs } from "./keep";
import {
  backoff,
  callOf,
  cryIn,
  GRACE_MS,
  stamp,
  type Act,
  type Doing,
  type Resolution,
  type Step,
} from "./outbox";
import { NoPicture, scaled } from "./photo";
import { whereNow } from "./position";
import { CHANNEL, locate, send, sendUrgent, SYNC, takeBack } from "./post";
import { Standing } from "./standing.svelte";

const TICK_MS = 1_000;

interface Syncing {
  sync?: { register: (tag: string) => Promise<void> };
}

export class Crew extends Standing {
  /** When sending is tried again, by the phone's clock; null: nothing waits. */
  nextAt = $state<number | null>(null);
  sending = $state(false);

  #fails = 0;
  /** When a call for help is tried next, by the phone's clock. */
  #cryAt: number | null = null;
  #stop: (() => void)[] = [];

  async start(): Promise<void> {
    await this.recall();
    const tick = setInterval(() => {
      this.#tick();
    }, TICK_MS);
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => {
      if (data === "look") void this.look();
      else void this.reload();
    };
    const back = () => {
      if (document.visibilityState !== "visible") return;
      void this.look(true);
      void this.drain(true);
      void this.#cry();
    };
    // What is lost is said at once, and not with the next question.
    const away = () => {
      void this.look();
    };
    addEventListener("online", back);
    addEventListener("offline", away);
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
        removeEventListener("offline", away);
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
    this.close();
  }

  #tick(): void {
    this.now = Date.now() + this.ahead;
    this.track.tick(Date.now());
    if (this.#cryAt !== null && cryIn(this.#cryAt, Date.now()) === 0)
      void this.#cry();
    if (document.visibilityState !== "visible") return;
    if (this.due) void this.look(this.line !== "on");
    if (this.nextAt !== null && this.nextAt <= Date.now()) void this.drain();
  }

  /** Sends what waits. `hurry`: pauses are over, the network may be back. */
  async drain(hurry = false): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      const { next, status, sent } = await send(hurry);
      await this.reload();
      if (status === 401) this.line = "out";
      this.#fails = status === 0 ? this.#fails + 1 : 0;
      const pause =
        this.#fails > 0
          ? Date.now() + backoff(this.#fails - 1, Math.random())
          : 0;
      this.nextAt =
        next === null || status === 401 ? null : Math.max(next, pause);
      if (sent > 0 || (status === 0 && this.line === "on")) void this.look();
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
      await this.reload();
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
    await this.reload();
  }

  /** Takes a call for help back that has not left the phone. */
  async unhelp(): Promise<void> {
    await takeBack();
    await this.reload();
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
      at: stamp(Date.now(), this.ahead, null, []),
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
    await this.reload();
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
      at: stamp(Date.now(), this.ahead, task, this.acts),
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
    await this.reload();
  }
}
