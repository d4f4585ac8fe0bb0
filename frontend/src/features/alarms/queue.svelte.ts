// The alarms of this desk: which of them is meant, how they are filtered, the acts on them, and the desk's figures.
import {
  acknowledge,
  acknowledgeMany,
  fetchHealth,
  fetchWithheld,
  shelve,
  unshelve,
  type Figures,
  type Health,
} from "../../api/alarms";
import type { Answer } from "../../api/call";
import type { Me } from "../../api/me";
import type { Room } from "../../stores/room.svelte";
import type { Alarm } from "../../wire/wire";
import {
  grave,
  NO_FILTERS,
  ordered,
  piles,
  shown,
  together,
  type Filters,
} from "./queue";
import { faultWords } from "./words";

const EVERY_MS = 5_000;
const PAUSE_MS = 250;

/** What somebody reads of what is not presented. */
export interface Reading {
  /** null: the house has not answered yet. */
  list: readonly Alarm[] | null;
  /** More is withheld than was read. */
  cut: boolean;
  /** HTTP status of a try that failed, 0: no answer; null: it did not fail. */
  fault: number | null;
}

export class AlarmQueue {
  filters = $state<Filters>({ ...NO_FILTERS });
  selected = $state<string | null>(null);
  /** The alarm whose shelving is asked about. */
  shelving = $state.raw<Alarm | null>(null);
  busy = $state(false);
  fault = $state.raw<{ id: string; words: string } | null>(null);
  figures = $state.raw<Figures | null>(null);
  /** When the figures were taken, by the server's clock; 0: never. */
  figuresAt = $state(0);

  #room: Room;
  #me: () => Me | null;

  constructor(room: Room, me: () => Me | null) {
    this.#room = room;
    this.#me = me;
  }

  get desk(): string {
    return this.#me()?.desk ?? "";
  }

  /** One for each who looks at what is not presented now. */
  readings = $state.raw<readonly Reading[]>([]);

  all = $derived.by(() =>
    this.readings.reduce(
      (known, { list }) => together(known, list ?? []),
      this.#room.alarms.all,
    ),
  );
  list = $derived.by(() => shown(this.all, this.filters, this.desk));
  counts = $derived.by(() => {
    const here = piles(this.all);
    // Not all of it is told to this screen: the house has counted.
    const withheld = this.figures?.house.withheld ?? 0;
    return { ...here, withheld: Math.max(here.withheld, withheld) };
  });
  /** P1 that nobody has taken note of, each by itself. */
  grave = $derived.by(() =>
    ordered(this.#room.alarms.all.filter((a) => grave(a) && a.presented)),
  );
  chosen = $derived.by(() => this.all.find((a) => a.id === this.selected));

  /** Of this desk; of the house where nobody sits at one, or the desk has had none yet. */
  get health(): Health | null {
    const { figures } = this;
    return (
      figures?.desks.find((d) => d.desk === this.desk) ?? figures?.house ?? null
    );
  }

  can(right: string): boolean {
    return this.#me()?.rights.includes(right) ?? false;
  }

  /** The next or former row; the first where none is selected. */
  step(by: 1 | -1): void {
    const { list } = this;
    if (list.length === 0) return;
    const at = list.findIndex((a) => a.id === this.selected);
    const to = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by));
    this.selected = list[to]?.id ?? null;
  }

  /** Asks for the figures again and again; gives what ends that. */
  watch(): () => void {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const ask = async () => {
      if (this.can("alarm.read") && !document.hidden) {
        const answer = await fetchHealth();
        if (answer.ok) {
          this.figures = answer.body;
          this.figuresAt = answer.at ?? this.#room.now;
        }
      }
      if (!over) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  /** Reads what is not presented again and again while it is looked at, and tells what it knows; gives what ends that. */
  readWithheld(text: string, tell: (is: Reading) => void): () => void {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    let last: Reading = { list: null, cut: false, fault: null };
    const put = (next: Reading) => {
      this.readings = [...this.readings.filter((r) => r !== last), next];
      last = next;
      tell(next);
    };
    const ask = async () => {
      const answer = await fetchWithheld(text);
      if (over) return;
      put(
        answer.ok
          ? {
              list: answer.body.items,
              cut: answer.body.next_page !== "",
              fault: null,
            }
          : { ...last, fault: answer.status },
      );
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    // Who types is asked for once they pause.
    timer = setTimeout(() => void ask(), text === "" ? 0 : PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
      this.readings = this.readings.filter((r) => r !== last);
    };
  }

  #seen(a: Alarm): { version: number; desk?: string } {
    return { version: a.version, ...(this.desk && { desk: this.desk }) };
  }

  async #do(id: string, act: Promise<Answer<unknown>>): Promise<boolean> {
    this.busy = true;
    this.fault = null;
    const answer = await act;
    this.busy = false;
    if (!answer.ok)
      this.fault = { id, words: faultWords(answer.status, answer.problem) };
    return answer.ok;
  }

  async acknowledge(a: Alarm): Promise<boolean> {
    if (this.busy) return false;
    return this.#do(a.id, acknowledge(a.id, this.#seen(a)));
  }

  async acknowledgeAll(list: readonly Alarm[]): Promise<boolean> {
    if (this.busy || list.length === 0) return false;
    const ids = list.map((a) => a.id);
    return this.#do("", acknowledgeMany(ids, this.desk));
  }

  async shelve(a: Alarm, minutes: number, reason: string): Promise<boolean> {
    if (this.busy) return false;
    const done = await this.#do(
      a.id,
      shelve(a.id, { ...this.#seen(a), reason, minutes }),
    );
    if (done) this.shelving = null;
    return done;
  }

  async unshelve(a: Alarm): Promise<boolean> {
    if (this.busy) return false;
    return this.#do(a.id, unshelve(a.id, this.#seen(a)));
  }
}
