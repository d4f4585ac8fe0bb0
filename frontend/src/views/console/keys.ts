// The desk's keys. They rest while somebody writes, and while a modifier belongs to the browser.

export type Command =
  | "search"
  | "down"
  | "up"
  | "open"
  | "acknowledge"
  | "new"
  | "follow"
  | "in"
  | "out"
  | "goto"
  | "incidents"
  | "alerts"
  | "reports"
  | "feeds"
  | "detail"
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
  Enter: "open",
  a: "acknowledge",
  n: "new",
  f: "follow",
  "+": "in",
  "=": "in",
  "-": "out",
  g: "goto",
  "1": "incidents",
  "2": "alerts",
  r: "reports",
  "3": "feeds",
  "4": "detail",
  b: "language",
  t: "theme",
  Escape: "escape",
  "?": "help",
};

/** Keys that a focused control needs for itself. */
const OWN = new Set(["Enter", "ArrowDown", "ArrowUp", " "]);

function writes(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      ["TEXTAREA", "SELECT"].includes(target.tagName) ||
      (target instanceof HTMLInputElement && target.type !== "checkbox"))
  );
}

/** What a press asks for; null where it is not the desk's. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.defaultPrevented || event.isComposing) return null;
  if (event.key !== "Escape" && writes(event.target)) return null;
  const { target } = event;
  const control =
    target instanceof HTMLElement &&
    ["BUTTON", "SUMMARY", "A"].includes(target.tagName);
  // Arrows on a row of the list move along the list; Enter presses what is focused.
  const row = control && target.hasAttribute("data-id");
  const presses = event.key === "Enter" || event.key === " ";
  if (control && OWN.has(event.key) && (presses || !row)) return null;
  if (event.repeat && !OWN.has(event.key) && !/^[jk]$/i.test(event.key)) {
    return null;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return KEYS[key] ?? null;
}
