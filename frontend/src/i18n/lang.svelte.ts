// The language of this screen. Reading a message inside a component follows it, so a switch needs no reload.
import { overwriteGetLocale } from "./paraglide/runtime.js";

export type Lang = "id" | "en";

const KEY = "kentongan.lang";

class Language {
  current = $state<Lang>("id");

  set(lang: Lang): void {
    this.current = lang;
    document.documentElement.lang = lang;
    try {
      localStorage.setItem(KEY, lang);
    } catch {
      // Storage is closed to us in some kiosks; the address still says the language.
    }
  }
}

export const language = new Language();
overwriteGetLocale(() => language.current);

const known = (value: string | null): Lang | null =>
  value === "id" || value === "en" ? value : null;

function lastChoice(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Chooses the language at start: `?lang=` of the address, then the last choice here, then Indonesian. */
export function chooseLanguage(search: string): void {
  const kept = lastChoice();
  const asked = known(new URLSearchParams(search).get("lang"));
  language.set(asked ?? known(kept) ?? "id");
}
