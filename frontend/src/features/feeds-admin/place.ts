// The page in an address, so that a link shows another person the same.
import { SORTS, STANDS, type Asked, type Sort } from "./table";

export const TABS = [
  "truth",
  "quarantine",
  "contract",
  "send",
  "config",
] as const;
export type Tab = (typeof TABS)[number];

export interface Place {
  /** Which page; what is no page's name is the first of them. */
  page: string;
  /** A feed's name; of page feeds: whose page is open, of the others: which one is meant. */
  feed: string;
  /** Which one of its list a page has open; empty: none. */
  one: string;
  tab: Tab;
  asked: Asked;
  sort: Sort;
}

export const NOWHERE: Place = {
  page: "feeds",
  feed: "",
  one: "",
  tab: "truth",
  asked: { text: "", stand: "" },
  sort: "worst",
};

function oneOf<T extends string>(value: string | null, known: readonly T[]) {
  return known.find((k) => k === value) ?? null;
}

/** Reads an address; what it does not know it leaves out. */
export function readPlace(search: string): Place {
  const q = new URLSearchParams(search);
  return {
    page: (q.get("page") ?? NOWHERE.page).slice(0, 63),
    feed: (q.get("feed") ?? "").slice(0, 63),
    one: (q.get("one") ?? "").slice(0, 63),
    tab: oneOf(q.get("tab"), TABS) ?? NOWHERE.tab,
    asked: {
      text: (q.get("q") ?? "").slice(0, 100),
      stand: oneOf(q.get("state"), [...STANDS, "held" as const]) ?? "",
    },
    sort: oneOf(q.get("sort"), SORTS) ?? NOWHERE.sort,
  };
}

/** The query of a place; parameters that are not the page's own (language, motion) stay. */
export function writePlace(place: Place, search: string): string {
  const q = new URLSearchParams(search);
  const feeds = place.page === "feeds";
  const values = {
    page: feeds ? "" : place.page,
    feed: place.feed,
    one: place.one,
    tab: feeds && place.feed && place.tab !== NOWHERE.tab ? place.tab : "",
    q: place.asked.text,
    state: place.asked.stand,
    sort: place.sort === NOWHERE.sort ? "" : place.sort,
  };
  for (const [key, value] of Object.entries(values)) {
    if (value === "") q.delete(key);
    else q.set(key, value);
  }
  const text = q.toString();
  return text === "" ? "" : `?${text}`;
}
