// Where one is in /admin, kept in the address: a link shows another person the same, and Back undoes a step.
import { NOWHERE, readPlace, writePlace, type Place } from "./place";

export class Address {
  place = $state.raw<Place>(readPlace(location.search));

  /** Back and Forward were pressed. */
  reread(): void {
    this.place = readPlace(location.search);
  }

  /** What stays on the way to another place: what was open or asked for on one page means nothing on another. */
  #from(to: Partial<Place>): Place {
    const same = to.page === undefined || to.page === this.place.page;
    return same ? this.place : { ...this.place, one: "", asked: NOWHERE.asked };
  }

  href(to: Partial<Place>): string {
    const next = { ...this.#from(to), tab: "truth" as const, ...to };
    return location.pathname + writePlace(next, location.search);
  }

  /** `step`: Back undoes it. */
  go(to: Partial<Place>, step: boolean): void {
    const next = { ...this.#from(to), ...to };
    const address = location.pathname + writePlace(next, location.search);
    this.place = next;
    if (address === location.pathname + location.search) return;
    if (step) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  /** A press with a modifier is the browser's: it opens a new tab. */
  follow(event: MouseEvent, to: Partial<Place>): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
      return;
    event.preventDefault();
    this.go(to, true);
  }
}
