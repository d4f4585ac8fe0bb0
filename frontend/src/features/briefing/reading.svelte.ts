// What the briefing page reads: the figures of a period, the place they are of, and the list behind one of them. The address says all of it.
import {
  fetchBriefing,
  fetchRecords,
  type Asked,
  type Briefing,
} from "../../api/briefing";
import type { Problem } from "../../api/call";
import { fetchTypes, type IncidentType } from "../../api/incidents";
import { fetchProfile, SignedOut, type Profile } from "../../api/profile";
import { instant } from "../../i18n/format";
import type { Incident } from "../../wire/wire";

const DAY_MS = 86_400_000;

export interface Fault {
  status: number;
  problem: Problem;
}

/** The list behind a figure. */
export interface Behind {
  /** Query of /incidents. */
  records: string;
  title: string;
  items: readonly Incident[];
  next: string;
  busy: boolean;
  fault: Fault | null;
}

export function readAddress(search: string): Asked & { records: string } {
  const q = new URLSearchParams(search);
  const at = (name: string) => {
    const value = q.get(name) ?? "";
    return instant(value) === null ? "" : value;
  };
  return {
    from: at("from"),
    to: at("to"),
    as_of: at("as_of"),
    records: (q.get("records") ?? "").slice(0, 1000),
  };
}

/** The address of a period; what else it said stays, but the list that was open. */
export function addressOf(search: string, asked: Asked, records = ""): string {
  const q = new URLSearchParams(search);
  for (const [name, value] of Object.entries({ ...asked, records })) {
    if (value === "") q.delete(name);
    else q.set(name, value);
  }
  const text = q.toString();
  return text === "" ? "/briefing" : `/briefing?${text}`;
}

/** The period before or after, as long as this one. */
export function besides({ period }: Briefing, step: -1 | 1): Asked {
  const from = instant(period.from) ?? 0;
  const to = instant(period.to) ?? 0;
  const by = Math.max(to - from, DAY_MS) * step;
  const iso = (ms: number) => new Date(ms).toISOString();
  return { from: iso(from + by), to: iso(to + by), as_of: "" };
}

export class Reading {
  asked: Asked = $state.raw({ from: "", to: "", as_of: "" });
  briefing = $state.raw<Briefing | null>(null);
  profile = $state.raw<Profile | null>(null);
  types = $state.raw<readonly IncidentType[]>([]);
  fault = $state.raw<Fault | null>(null);
  busy = $state(false);
  behind = $state.raw<Behind | null>(null);
  #turn = 0;

  get zone(): string {
    return this.briefing?.zone ?? this.profile?.time_zone ?? "UTC";
  }

  /** Milliseconds of the instant that the figures are of. */
  get at(): number {
    return instant(this.briefing?.as_of) ?? 0;
  }

  /** Reads the place once; false: nobody is signed in. */
  async learn(): Promise<boolean> {
    void fetchTypes().then((types) => (this.types = types ?? []));
    try {
      this.profile = await fetchProfile();
    } catch (fault) {
      return !(fault instanceof SignedOut);
    }
    return true;
  }

  /** Reads a period; what stands stays until the answer has come. */
  async read(asked: Asked): Promise<void> {
    const turn = ++this.#turn;
    this.asked = asked;
    this.busy = true;
    const answer = await fetchBriefing(asked);
    if (turn !== this.#turn) return;
    this.busy = false;
    if (answer.ok) {
      this.briefing = answer.body;
      this.fault = null;
    } else {
      const { status, problem } = answer;
      this.fault = { status, problem };
    }
  }

  async open(records: string, title: string): Promise<void> {
    if (records === "") return;
    this.behind = {
      records,
      title,
      items: [],
      next: "",
      busy: true,
      fault: null,
    };
    await this.more();
  }

  /** The next page of the list. */
  async more(): Promise<void> {
    const now = this.behind;
    if (!now) return;
    this.behind = { ...now, busy: true };
    const answer = await fetchRecords(now.records, now.next);
    if (this.behind.records !== now.records) return;
    this.behind = answer.ok
      ? {
          ...now,
          items: [...now.items, ...answer.body.items],
          next: answer.body.next_page,
          busy: false,
          fault: null,
        }
      : {
          ...now,
          busy: false,
          fault: { status: answer.status, problem: answer.problem },
        };
  }

  close(): void {
    this.behind = null;
  }
}
