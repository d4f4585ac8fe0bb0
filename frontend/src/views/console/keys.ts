// The desk's keys.
import { keyOf } from "../../ui/keys";

export type Command =
  | "search"
  | "down"
  | "up"
  | "open"
  | "acknowledge"
  | "shelve"
  | "mute"
  | "new"
  | "intake"
  | "follow"
  | "in"
  | "out"
  | "goto"
  | "alarms"
  | "health"
  | "status"
  | "plans"
  | "suggestions"
  | "accept"
  | "refuse"
  | "incidents"
  | "alerts"
  | "reports"
  | "feeds"
  | "detail"
  | "units"
  | "walls"
  | "paper"
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
  z: "shelve",
  m: "mute",
  n: "new",
  i: "intake",
  f: "follow",
  "+": "in",
  "=": "in",
  "-": "out",
  g: "goto",
  q: "alarms",
  h: "health",
  s: "status",
  p: "plans",
  u: "suggestions",
  y: "accept",
  x: "refuse",
  "1": "incidents",
  "2": "alerts",
  r: "reports",
  "3": "feeds",
  "4": "detail",
  d: "units",
  w: "walls",
  c: "paper",
  b: "language",
  t: "theme",
  Escape: "escape",
  "?": "help",
};

/** Keys that a focused control needs for itself. */
const OWN = new Set(["Enter", "ArrowDown", "ArrowUp", " "]);

/** What a press asks for; null where it is not the desk's. */
export function commandOf(event: KeyboardEvent): Command | null {
  const key = keyOf(event);
  if (key === "") return null;
  const { target } = event;
  const control =
    target instanceof HTMLElement &&
    ["BUTTON", "SUMMARY", "A"].includes(target.tagName);
  // Arrows on a row of the list move along the list; Enter presses what is focused.
  const row = control && target.hasAttribute("data-id");
  const presses = key === "Enter" || key === " ";
  if (control && OWN.has(key) && (presses || !row)) return null;
  if (event.repeat && !OWN.has(key) && !/^[jk]$/.test(key)) {
    return null;
  }
  return KEYS[key] ?? null;
}
