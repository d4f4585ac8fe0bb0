// The one feed that is open: read whole when it is chosen, and again when its list row says that something has changed.
import { fetchFeed, type Feed, type Held } from "../../api/feeds";

export class FeedDossier {
  name = $state("");
  feed = $state.raw<Feed | null>(null);
  /** HTTP status of a failed reading; null: none failed. 0: nobody answered. */
  failed = $state<number | null>(null);

  #turn = 0;

  async open(name: string): Promise<void> {
    const turn = ++this.#turn;
    if (name !== this.name) {
      this.name = name;
      this.feed = null;
      this.failed = null;
    }
    if (name === "") return;
    const answer = await fetchFeed(name);
    if (turn !== this.#turn) return;
    if (answer.ok) {
      this.feed = answer.body;
      this.failed = null;
    } else {
      this.failed = answer.status;
    }
  }

  /** Shows what was decided of one delivery before the whole is read again. */
  decided(held: Held): void {
    if (!this.feed || held.feed !== this.name) return;
    const quarantine = this.feed.quarantine.map((h) =>
      h.id === held.id ? held : h,
    );
    this.feed = { ...this.feed, quarantine };
  }
}
