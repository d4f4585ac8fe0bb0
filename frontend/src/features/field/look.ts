// Daylight or night on a phone: black on white for the sun, white on black for the eyes of a driver by night.

export type Look = "field-daylight" | "field-night";

const KEY = "kentongan.field.theme";
const KNOWN: Record<string, Look> = {
  light: "field-daylight",
  dark: "field-night",
};

function show(look: Look): Look {
  document.documentElement.dataset["theme"] = look;
  return look;
}

/** `?theme=` of the address, then the last choice on this phone, then what the browser prefers. */
export function chooseLook(search: string): Look {
  const asked = KNOWN[new URLSearchParams(search).get("theme") ?? ""];
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // Storage is closed to us: the browser says what it prefers.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return show(
    asked ?? KNOWN[kept ?? ""] ?? (dark ? "field-night" : "field-daylight"),
  );
}

/** Keeps a choice. */
export function setLook(dark: boolean): Look {
  try {
    localStorage.setItem(KEY, dark ? "dark" : "light");
  } catch {
    // As above: it lasts as long as the page.
  }
  return show(dark ? "field-night" : "field-daylight");
}
