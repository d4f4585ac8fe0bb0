// Who it was, by name: the house names accounts by an id, and keeps names back from whoever may not have them.
import { m } from "../../i18n/paraglide/messages.js";
import { names } from "../../stores/names.svelte";

/** Crockford's base 32, as the house makes ids. */
const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/i;

export function tellNames(
  people: readonly { subject: string; name: string }[],
): void {
  names.learn(people);
}

/** "user:dewi" is dewi, an account is its owner's name where that is known here, and else somebody on duty. */
export function personWord(subject: string): string {
  const known = names.of(subject);
  if (known) return known;
  const name = subject.slice(subject.indexOf(":") + 1);
  return name === "user" || ID.test(name) ? m.limited_person() : name;
}
