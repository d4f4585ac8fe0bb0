// The page's keys. They rest while somebody writes, and while a modifier belongs to the browser.

export type Command =
  | "search"
  | "down"
  | "up"
  | "feeds"
  | "try"
  | "keys"
  | "language"
  | "theme"
  | "escape"
  | "help";

const KEYS: Record<string, Command> = {
  "/": "search",
  j: "down",
  ArrowDown: "down",
  k: "up",
  ArrowUp: "up",
  "1": "feeds",
  "2": "try",
  "3": "keys",
  b: "language",
  t: "theme",
  Escape: "escape",
  "?": "help",
};

/** Arrows scroll, unless a row of the list has the focus. Enter opens the row that has it, as it follows any link. */
const ARROWS = new Set(["ArrowDown", "ArrowUp"]);

const writes = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (["TEXTAREA", "SELECT"].includes(target.tagName) ||
    (target instanceof HTMLInputElement && target.type !== "checkbox"));

/** What a press asks for; null where it is not the page's. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.defaultPrevented || event.isComposing) return null;
  const { target, key } = event;
  if (key !== "Escape" && writes(target)) return null;
  const row = target instanceof HTMLElement && target.dataset["row"];
  if (ARROWS.has(key) && !row) return null;
  return KEYS[key.length === 1 ? key.toLowerCase() : key] ?? null;
}
