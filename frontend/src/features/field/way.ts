// Ways out of the page: into the phone's own map, and to the post by telephone. Pure.

/**
 * An address that opens the phone's own map with a way to a place: geo: (RFC 5870) where Android hands it on, Apple's maps on its phones, a map of the
 * web elsewhere. `agent` is what the browser calls itself.
 */
export function wayTo(
  place: { lng: number; lat: number },
  name: string,
  agent: string,
): string {
  const at = `${place.lat.toFixed(6)},${place.lng.toFixed(6)}`;
  if (/Android/i.test(agent)) {
    return `geo:${at}?q=${at}(${encodeURIComponent(name.replace(/[()]/g, " "))})`;
  }
  if (/iPhone|iPad|Macintosh/i.test(agent)) {
    return `https://maps.apple.com/?daddr=${at}`;
  }
  return `https://www.openstreetmap.org/directions?to=${encodeURIComponent(at)}`;
}

/** A telephone number as tel: takes it (RFC 3966); empty where there is none in it. */
export function telTo(number: string): string {
  const digits = number.replace(/[^\d+]/g, "").replace(/(?!^)\+/g, "");
  return /\d{2}/.test(digits) ? `tel:${digits}` : "";
}
