// Acting on an incident. Nothing is shown as done before the house has said so, and what somebody wrote is kept until it was.
import type { Problem } from "../../api/call";
import { codeOf, problemWords } from "../../i18n/problem.svelte";
import {
  act,
  type Act,
  type Known,
  type ProofKind,
  type Verb,
} from "../../api/incidents";
import type { Incident, IncidentStatus, Victims } from "../../wire/wire";

/** Why an act was not done: nobody answered, not allowed to this person, not complete, the store is busy, or gone. */
export type Fault = {
  kind: "unreachable" | "forbidden" | "incomplete" | "busy" | "failed";
  detail: string;
};

/** Somebody was faster: what was seen, what is now, and what may be asked of that. */
export interface Conflict {
  seen: Incident;
  now: Incident;
  allowed: readonly Verb[];
  tried: Verb;
}

export interface Words {
  note: string;
  outcome: string;
  cause: string;
  reason: string;
  override: string;
  /** null: not said yet; all 0: there are none. */
  victims: Victims | null;
}

const EMPTY: Words = {
  note: "",
  outcome: "",
  cause: "",
  reason: "",
  override: "",
  victims: null,
};

/** The next step of its life: the panel's one primary button. */
const NEXT: Partial<Record<IncidentStatus, Verb>> = {
  new: "acknowledged",
  acknowledged: "dispatched",
  dispatched: "on_scene",
  on_scene: "resolved",
  resolved: "closed",
};

export const nextStep = (status: IncidentStatus): Verb | null =>
  NEXT[status] ?? null;

/** Acts that are done by the press alone; the others ask for words first. */
export const atOnce = (to: Verb): boolean =>
  to === "acknowledged" || to === "on_scene";

/** What is missing before the act may be sent: domain, section 5. */
export function missing(
  to: Verb,
  words: Words,
  status: IncidentStatus,
): "outcome" | "cause" | "victims" | "reason" | null {
  if (to === "resolved" && words.outcome.trim() === "") return "outcome";
  if (to === "resolved" && status === "on_scene") {
    if (words.cause.trim() === "") return "cause";
    if (words.victims === null) return "victims";
  }
  if ((to === "cancelled" || to === "reopened") && words.reason.trim() === "") {
    return "reason";
  }
  return null;
}

const KIND: Record<number, Fault["kind"]> = {
  0: "unreachable",
  401: "forbidden",
  403: "forbidden",
  422: "incomplete",
  503: "busy",
};

/** What the kind of a fault says whole. */
const told = (status: number, problem: Problem) =>
  status === 0 ||
  ["denied", "forbidden", "unauthorized", "unavailable"].includes(
    codeOf(problem),
  );

const key = (id: string) => `kentongan.draft.${id}`;

/** The acts of one incident, and the words that go with them; they outlive a reload of the page. */
export class Acts {
  readonly id: string;
  busy = $state<Verb | null>(null);
  /** The act whose words are asked for. */
  form = $state<Verb | null>(null);
  fault = $state.raw<Fault | null>(null);
  conflict = $state.raw<Conflict | null>(null);
  /** It was to be closed and too little shows that it is over: the kinds of proof that may still come. */
  unproven = $state.raw<readonly ProofKind[]>([]);
  words = $state<Words>({ ...EMPTY });
  #onDone: (known: Known) => void;

  constructor(id: string, onDone: (known: Known) => void) {
    this.id = id;
    this.#onDone = onDone;
    this.words = { ...EMPTY, ...kept(id) };
  }

  keep(): void {
    try {
      const { victims, ...texts } = this.words;
      if (victims === null && Object.values(texts).every((t) => t === ""))
        sessionStorage.removeItem(key(this.id));
      else sessionStorage.setItem(key(this.id), JSON.stringify(this.words));
    } catch {
      // Storage is closed to us: the words live as long as the page.
    }
  }

  /** Sends an act on what was seen; true once the house has done it. */
  async send(to: Verb, seen: Incident): Promise<boolean> {
    if (this.busy) return false;
    this.busy = to;
    this.fault = null;
    const answer = await act(this.id, this.#body(to, seen));
    this.busy = null;
    if (answer.ok) {
      this.conflict = null;
      this.unproven = [];
      this.form = null;
      this.words = { ...EMPTY };
      this.keep();
      this.#onDone(answer.body);
      return true;
    }
    const { status, problem } = answer;
    const lacks = problem["missing"] as ProofKind[] | undefined;
    if (status === 409 && lacks && lacks.length > 0) {
      this.unproven = lacks;
      this.form = to;
    } else if (status === 409 && problem["current"]) {
      const now = problem["current"] as Incident;
      const allowed = (problem["allowed"] as Verb[] | undefined) ?? [];
      this.conflict = { seen, now, allowed, tried: to };
      this.#onDone({ ...now, allowed: [...allowed] });
    } else {
      this.fault = {
        kind: KIND[status] ?? "failed",
        detail: told(status, problem) ? "" : problemWords(status, problem),
      };
    }
    return false;
  }

  #body(to: Verb, seen: Incident): Act {
    const { note, outcome, cause, reason, override, victims } = this.words;
    const said = (text: string) => text.trim();
    return {
      to,
      version: seen.version,
      ...(said(note) !== "" && { note: said(note) }),
      ...(to === "resolved" && {
        outcome: said(outcome),
        ...(said(cause) !== "" && { cause: said(cause) }),
        ...(victims !== null && { victims }),
      }),
      ...(to === "closed" &&
        said(override) !== "" && { override: said(override) }),
      ...((to === "cancelled" || to === "reopened") && {
        reason: said(reason),
      }),
    };
  }
}

function kept(id: string): Partial<Words> {
  try {
    return JSON.parse(
      sessionStorage.getItem(key(id)) ?? "{}",
    ) as Partial<Words>;
  } catch {
    return {};
  }
}
