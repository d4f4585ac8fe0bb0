// Units and one incident: who is sent, who is proposed, and the acts. Nothing is shown as done before the house has said so.
import {
  fetchDispatches,
  moveDispatch,
  recommend,
  sendUnit,
  type Move,
  type Recommendation,
} from "../../api/dispatches";
import type { Answer } from "../../api/call";
import { m } from "../../i18n/paraglide/messages.js";
import type { Dispatch } from "../../wire/wire";
import { faultWords } from "../alarms/words";

export class Sending {
  readonly incident: string;
  read = $state.raw<readonly Dispatch[]>([]);
  proposal = $state.raw<Recommendation | null>(null);
  /** Why there is no proposal; empty: there is, or it is being read. */
  unproposed = $state<"" | "unplaced" | "unread">("");
  /** Of what is being sent: a unit, or a dispatch. */
  busy = $state("");
  fault = $state("");

  constructor(incident: string) {
    this.incident = incident;
  }

  /** Reads both anew. `propose`: the incident takes units and this person may send them. */
  async look(propose: boolean): Promise<void> {
    const [read] = await Promise.all([
      fetchDispatches(this.incident),
      propose ? this.#propose() : null,
    ]);
    if (read) this.read = read;
    if (!propose) this.proposal = null;
  }

  async #propose(): Promise<void> {
    const answer = await recommend(this.incident);
    if (answer.ok) {
      this.proposal = answer.body;
      this.unproposed = "";
      return;
    }
    this.proposal = null;
    this.unproposed = answer.status === 409 ? "unplaced" : "unread";
  }

  send(unit: string, name: string): Promise<boolean> {
    return this.#act(unit, sendUnit(this.incident, unit), () =>
      m.dsp_taken({ unit: name }),
    );
  }

  move(dispatch: Dispatch, to: Move, reason = ""): Promise<boolean> {
    return this.#act(dispatch.id, moveDispatch(dispatch, to, reason), () =>
      m.dsp_moved(),
    );
  }

  async #act(
    what: string,
    asked: Promise<Answer<Dispatch>>,
    late: () => string,
  ): Promise<boolean> {
    this.busy = what;
    this.fault = "";
    const answer = await asked;
    this.busy = "";
    if (answer.ok) {
      const { body } = answer;
      this.read = [body, ...this.read.filter((d) => d.id !== body.id)];
      return true;
    }
    const { status, problem } = answer;
    this.fault = status === 409 ? late() : faultWords(status, problem);
    return false;
  }
}
