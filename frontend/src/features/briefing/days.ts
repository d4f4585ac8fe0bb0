// Days by name, in the screen's language.
import { language } from "../../i18n/lang.svelte";

const TAGS = { id: "id-ID", en: "en-GB" } as const;

/** "Minggu", "Sunday". */
export const weekday = (ms: number, zone: string): string =>
  new Intl.DateTimeFormat(TAGS[language.current], {
    timeZone: zone,
    weekday: "long",
  }).format(ms);
