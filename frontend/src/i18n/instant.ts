// Instants as the house writes them. It stands alone, so that a service worker reads them without the languages of a page.

/** Milliseconds since 1970 of an RFC 3339 instant, or null where there is none. */
export function instant(text: string | null | undefined): number | null {
  if (!text) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}
