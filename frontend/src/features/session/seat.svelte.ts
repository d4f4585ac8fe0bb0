// Who may look at this screen now: open, locked, or being taken over. The lock outlives a reload of the page.

const KEY = "kentongan.locked";

export type Over = "" | "switch" | "desk" | "lock";

export class Seat {
  /** The dialog that lies over the desk. */
  over = $state<Over>("");
  locked = $state(false);

  constructor() {
    try {
      this.locked = sessionStorage.getItem(KEY) === "1";
    } catch {
      // Storage is closed to us: a reload opens the lock, and the house still wants a session.
    }
    if (this.locked) this.over = "lock";
  }

  #keep(): void {
    try {
      if (this.locked) sessionStorage.setItem(KEY, "1");
      else sessionStorage.removeItem(KEY);
    } catch {
      // As above.
    }
  }

  lock(): void {
    this.locked = true;
    this.over = "lock";
    this.#keep();
  }

  open(): void {
    this.locked = false;
    this.over = "";
    this.#keep();
  }

  /** A dialog was left without anything done: the lock stays where there was one. */
  leave(): void {
    this.over = this.locked ? "lock" : "";
  }
}
