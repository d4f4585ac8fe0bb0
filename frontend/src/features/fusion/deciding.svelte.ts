// Saying yes or no to a suggestion: one at a time, and nothing is shown as done before the house has said so.
import { decide } from "../../api/suggestions";
import type { Suggestion } from "../../wire/wire";
import { faultWords } from "../alarms/words";

export class Deciding {
  /** The row that keys are about. */
  selected = $state<string | null>(null);
  busy = $state("");
  fault = $state.raw<{ id: string; words: string } | null>(null);

  async decide(s: Suggestion, verb: "accept" | "refuse"): Promise<boolean> {
    if (this.busy !== "") return false;
    this.busy = s.id;
    this.fault = null;
    const answer = await decide(s, verb);
    this.busy = "";
    if (!answer.ok)
      this.fault = {
        id: s.id,
        words: faultWords(answer.status, answer.problem),
      };
    return answer.ok;
  }

  /** The one that keys are about: what was meant stays meant while it is there, though a surer one comes meanwhile. */
  aim(list: readonly Suggestion[]): Suggestion | undefined {
    return list.find((s) => s.id === this.selected) ?? list[0];
  }

  /** The next or former of a list; the first where none is selected. */
  step(list: readonly Suggestion[], by: 1 | -1): void {
    if (list.length === 0) return;
    const at = list.findIndex((s) => s.id === this.selected);
    const to = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by));
    this.selected = list[to]?.id ?? null;
  }
}
