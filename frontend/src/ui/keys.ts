// A screen's own keys. They rest while somebody writes, and while a modifier belongs to the browser.

/** Presses on it are letters. */
export const writes = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    ["TEXTAREA", "SELECT"].includes(target.tagName) ||
    (target instanceof HTMLInputElement && target.type !== "checkbox"));

/** The key of a press that the screen may take, letters small; empty: it is not the screen's. Escape is always. */
export function keyOf(event: KeyboardEvent): string {
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (event.defaultPrevented || event.isComposing) return "";
  if (event.key !== "Escape" && writes(event.target)) return "";
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}
