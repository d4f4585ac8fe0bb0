// A try in hand: what is written down, the last answer, and saving it. What somebody wrote outlives a reload and every error.
import {
  fetchFeed,
  putFeed,
  tryFeed,
  type Fault,
  type Trial,
} from "../../api/feeds";
import { count, isDoc, text } from "../../api/read";
import {
  attemptOf,
  configOf,
  draftOf,
  EMPTY,
  MAPPED,
  named,
  type Draft,
} from "./draft";
import { m } from "../../i18n/paraglide/messages.js";
import type { Sample } from "./samples";
import { faultWords } from "./words";

const KEY = "kentongan.try";
/** Larger bytes are not kept over a reload. */
const KEPT_CHARS = 200_000;

function restored(): Draft {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as object;
    return { ...EMPTY, ...kept };
  } catch {
    return EMPTY;
  }
}

export class Trying {
  draft = $state.raw<Draft>(restored());
  trial = $state.raw<Trial | null>(null);
  /** The draft that the trial answers. */
  tried = $state.raw<Draft | null>(null);
  trying = $state(false);
  fault = $state("");
  saving = $state(false);
  saveFault = $state("");
  saveFaults = $state.raw<readonly Fault[]>([]);
  /** Somebody else changed or made it: its version now. */
  conflict = $state<number | null>(null);

  /** Faults of the last answer, while the draft they speak of still stands. */
  get faults(): readonly Fault[] {
    return [...(this.trial?.faults ?? []), ...this.saveFaults];
  }

  change(part: Partial<Draft>): void {
    this.draft = { ...this.draft, ...part };
    this.conflict = null;
    this.saveFault = "";
    this.saveFaults = [];
    const { body } = this.draft;
    try {
      const small = body.length < KEPT_CHARS ? body : "";
      const kept = { ...this.draft, body: small, base64: "" };
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // Storage is closed or full: what is written lasts as long as the page.
    }
  }

  fresh(): void {
    this.change(EMPTY);
    this.trial = null;
    this.tried = null;
    this.fault = "";
  }

  /** A sample comes a moment after it was asked for: what was written since stays. */
  load(sample: Sample, asked: Draft): void {
    this.trial = null;
    const part: Partial<Draft> = {
      mode: "form",
      origin: "paste",
      body: sample.body,
      base64: "",
      file: "",
      contentType: sample.contentType ?? "",
      messageTopic: sample.topic ?? "",
      kind: this.draft.kind || (sample.kind ?? ""),
      each: sample.each ?? "",
      map:
        sample.map ??
        (MAPPED.includes(this.draft.format) ? "" : this.draft.map),
    };
    const untouched = Object.entries(part).filter(
      ([key]) => this.draft[key as keyof Draft] === asked[key as keyof Draft],
    );
    this.change(Object.fromEntries(untouched));
  }

  /** Takes a feed that exists into the form. Of a feed of the file it becomes a copy with a name of its own to give. */
  async take(name: string): Promise<boolean> {
    const answer = await fetchFeed(name);
    if (!answer.ok) {
      this.fault = faultWords(answer.status, answer.problem);
      return false;
    }
    const { config, version, source } = answer.body;
    const own = source === "api";
    const { body, base64, file, contentType } = this.draft;
    const taken = draftOf(config, own ? version : 0);
    this.trial = null;
    this.fault = "";
    this.change({
      ...taken,
      name: own ? taken.name : "",
      body,
      base64,
      file,
      contentType,
      origin: taken.transport === "poll" && body === "" ? "fetch" : "paste",
    });
    return true;
  }

  async run(): Promise<void> {
    if (this.trying) return;
    this.trying = true;
    this.fault = "";
    const { draft } = this;
    const answer = await tryFeed(attemptOf(draft));
    this.trying = false;
    if (answer.ok) {
      this.trial = answer.body;
      this.tried = draft;
    } else {
      this.fault = faultWords(answer.status, answer.problem);
    }
  }

  get saveable(): boolean {
    return this.draft.mode === "form" && named(this.draft.name.trim());
  }

  /** Keeps the feed; true once it is kept. `version` overrides the one that was read: somebody looked at the conflict and wants it so. */
  async save(version = this.draft.version): Promise<boolean> {
    if (this.saving) return false;
    this.saving = true;
    this.saveFault = "";
    this.saveFaults = [];
    const config = configOf(this.draft);
    const name = text(config["name"]);
    const answer = await putFeed(name, config, version);
    this.saving = false;
    if (answer.ok) {
      this.change({ version: 0 });
      return true;
    }
    const { status, problem } = answer;
    this.saveFault =
      status === 409 && version === 0
        ? m.adm_fault_exists({ name })
        : faultWords(status, problem);
    this.saveFaults = faultsIn(problem["faults"] ?? problem["errors"]);
    if (status === 409) {
      // Of the configuration file, or gone meanwhile: there is nothing to write over.
      const current = problem["current"];
      this.conflict =
        problem["source"] === "api" && isDoc(current)
          ? count(current["version"])
          : 0;
    }
    return false;
  }
}

function faultsIn(value: unknown): Fault[] {
  if (!Array.isArray(value)) return [];
  return value.map((one) => {
    const d = (one ?? {}) as Record<string, unknown>;
    return {
      key:
        text(d["key"]) || text(d["location"]).replace(/^body\.(config\.)?/, ""),
      text: text(d["text"]) || text(d["message"]),
      line: typeof d["line"] === "number" ? d["line"] : 0,
    };
  });
}
