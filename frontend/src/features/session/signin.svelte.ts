// Signing in as it runs: sends what somebody shows, moves the steps by the answer, and keeps why it was refused.
import type { Answer } from "../../api/call";
import {
  beginPasskey,
  byCode,
  byPassword,
  byToken,
  fetchMe,
  finishPasskey,
  redeem,
  setPassword,
  showSecond,
  takeDesk,
  type Entry,
  type Factor,
  type Identity,
} from "../../api/session";
import { faultOf, type Fault } from "./faults";
import { begin, handed, take, type Said, type Signing } from "./steps";

type What = Parameters<typeof faultOf>[1];

export class SignIn {
  state = $state.raw<Signing>(begin());
  fault = $state.raw<Fault | null>(null);
  busy = $state(false);
  /** Milliseconds since 1970; moves while something runs out. */
  now = $state(Date.now());
  #change: boolean;
  #done: (who: Identity) => void;
  #waiting: AbortController | null = null;

  /** `change`: somebody sits at this screen, and somebody else takes over. */
  constructor(done: (who: Identity) => void, change = false) {
    this.#done = done;
    this.#change = change;
    this.state = begin(change);
  }

  get step() {
    return this.state.step;
  }

  /** Moves the clock once a second; answers how to stop it. */
  run(): () => void {
    const timer = setInterval(() => {
      this.now = Date.now();
      this.say({ is: "clock", now: this.now });
    }, 1_000);
    return () => {
      clearInterval(timer);
      this.quiet();
    };
  }

  say(said: Said): void {
    const before = this.state.step.at;
    this.state = take(this.state, said);
    const { step, who } = this.state;
    if (step.at !== before) this.quiet();
    if (step.at === "done" && before !== "done" && who) this.#done(who);
  }

  choose(said: Said): void {
    this.fault = null;
    this.say(said);
  }

  /** Ends what waits for a passkey. */
  quiet(): void {
    this.#waiting?.abort();
    this.#waiting = null;
  }

  refuse(fault: Fault): void {
    this.now = Date.now();
    this.fault = fault;
  }

  /** Sends one step; true where it went on. */
  async #send(what: What, ask: () => Promise<Answer<Entry>>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.fault = null;
    const answer = await ask();
    this.busy = false;
    this.now = Date.now();
    if (answer.ok) {
      this.#went(answer.body);
      return true;
    }
    const fault = faultOf(answer, what, this.now);
    this.fault = fault;
    const guess = what === "code" || what === "recovery" || what === "passkey";
    if (fault.kind === "gone") {
      this.fault = null;
      this.say({ is: "gone" });
    } else if (guess && answer.status === 401) this.say({ is: "wrong" });
    return false;
  }

  #went(entry: Entry): void {
    if (entry.who) this.say({ is: "in", who: entry.who });
    else
      this.say({
        is: "pending",
        pending: entry.pending,
        factors: entry.factors,
        now: Date.now(),
      });
  }

  /** Goes on where somebody left: handed over by a provider, or in already but with something left to do. Answers who is in. */
  async resume(hash: string): Promise<Identity | null> {
    const from = handed(hash);
    if (from) {
      this.say({ is: "pending", ...from, now: Date.now() });
      return null;
    }
    const answer = await fetchMe();
    if (!answer.ok) return null;
    if (answer.body.needs.length > 0) this.say({ is: "in", who: answer.body });
    return answer.body;
  }

  async password(login: string, password: string): Promise<boolean> {
    if (login.trim() === "") return this.#empty("login");
    if (password === "") return this.#empty("password");
    return this.#send("password", () =>
      byPassword(login.trim(), password, this.#change),
    );
  }

  #empty(what: Extract<Fault, { kind: "empty" }>["what"]): false {
    this.refuse({ kind: "empty", what });
    return false;
  }

  code(code: string): Promise<boolean> {
    return this.#send("link", () => byCode(code));
  }

  token(token: string): Promise<boolean> {
    return this.#send("link", () => byToken(token));
  }

  async second(kind: "totp" | "recovery", code: string): Promise<boolean> {
    const { step } = this;
    if (step.at !== "second") return false;
    if (code.trim() === "") return this.#empty("code");
    return this.#send(kind === "totp" ? "code" : "recovery", () =>
      showSecond(step.pending, kind, code.trim()),
    );
  }

  async redeem(code: string, password: string): Promise<boolean> {
    if (code.trim() === "") return this.#empty("code");
    if (password === "") return this.#empty("password");
    return this.#send("reset", () => redeem(code.trim(), password));
  }

  /** Sets a password where the house wants one before anything else. */
  async firstPassword(old: string, next: string): Promise<void> {
    if (next === "") {
      this.#empty("password");
      return;
    }
    if (this.busy) return;
    this.busy = true;
    this.fault = null;
    const answer = await setPassword(old, next);
    this.busy = false;
    if (answer.ok) await this.again();
    else this.refuse(faultOf(answer, "password", Date.now()));
  }

  /** Asks the house anew who is in and what is left to do. */
  async again(codes: readonly string[] = []): Promise<void> {
    const answer = await fetchMe();
    if (answer.ok) this.say({ is: "codes", codes, who: answer.body });
    else this.refuse(faultOf(answer, "password", Date.now()));
  }

  async desk(slug: string): Promise<void> {
    const { who } = this.state;
    if (slug === "" && who) {
      this.say({ is: "seated", who });
      return;
    }
    if (this.busy) return;
    this.busy = true;
    this.fault = null;
    const answer = await takeDesk(slug);
    this.busy = false;
    if (answer.ok && answer.body.who)
      this.say({ is: "seated", who: answer.body.who });
    else if (!answer.ok) this.refuse(faultOf(answer, "password", Date.now()));
  }

  /** By a passkey. `quiet`: offered inside the field for the name, until another way is taken. */
  async passkey(quiet = false): Promise<void> {
    const { step } = this;
    const pending = step.at === "second" ? step.pending : "";
    this.quiet();
    const waiting = new AbortController();
    this.#waiting = waiting;
    if (!quiet) {
      this.busy = true;
      this.fault = null;
    }
    const { show, offers } = await import("./passkey");
    if (quiet && !(await offers())) return;
    const shown = await show(
      beginPasskey(pending === "" ? {} : { pending }),
      waiting.signal,
      quiet,
    );
    if (!quiet) this.busy = false;
    if (waiting.signal.aborted) return;
    if (shown.ok) {
      await this.#send("passkey", () =>
        finishPasskey(shown.ticket, shown.credential),
      );
    } else if (!quiet && shown.answer) {
      this.refuse(faultOf(shown.answer, "passkey", Date.now()));
    } else if (!quiet && shown.why) {
      this.refuse({ kind: "passkey", why: shown.why });
    }
  }

  choosing(kind: Factor): void {
    this.choose({ is: "kind", kind });
  }
}
