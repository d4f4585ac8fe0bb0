// A feed as somebody writes it down to try it: the fields of a form, and what becomes of them as settings.
import { shown, type Attempt, type Fault } from "../../api/feeds";
import { isDoc, text, type Doc } from "../../api/read";

export const FORMATS = [
  "json",
  "csv",
  "geojson",
  "xml",
  "native",
  "adsb",
  "ais",
  "alertmanager",
  "bmkg",
  "cap",
  "chirpstack",
  "cot",
  "gbfs",
  "georss",
  "gtfsrt",
  "ngsi",
  "nmea",
  "open311",
  "owntracks",
  "petabencana",
  "sensorthings",
  "siri",
  "traccar",
  "ttn",
  "usgs",
  "wzdx",
] as const;

/** Those that the page can write down; file and simulator are the configuration file's. */
export const TRANSPORTS = ["push", "poll", "mqtt", "tcp", "udp", "ws"] as const;

/** Formats that read by a jq program. */
export const MAPPED: readonly string[] = ["json", "csv", "xml", "geojson"];
/** Of those, which take a document apart into items first. */
export const EACH: readonly string[] = ["json", "xml"];
/** Of those, which must have one. */
export const MUST_MAP: readonly string[] = ["json", "csv", "xml"];

export type Mode = "form" | "yaml";
export type Origin = "paste" | "fetch";

export interface Draft {
  mode: Mode;
  yaml: string;
  name: string;
  kind: string;
  agency: string;
  attribution: string;
  interval: string;
  format: string;
  transport: string;
  url: string;
  every: string;
  topic: string;
  listen: string;
  each: string;
  map: string;
  /** What of the settings has no field of its own, carried as it is. */
  rest: Doc;
  origin: Origin;
  body: string;
  /** A dropped file that is no text, in base64. */
  base64: string;
  file: string;
  contentType: string;
  messageTopic: string;
  /** The version that is changed; 0: a new feed. */
  version: number;
}

export const EMPTY: Draft = {
  mode: "form",
  yaml: "",
  name: "",
  kind: "",
  agency: "",
  attribution: "",
  interval: "",
  format: "json",
  transport: "push",
  url: "",
  every: "60s",
  topic: "",
  listen: "",
  each: "",
  map: "",
  rest: {},
  origin: "paste",
  body: "",
  base64: "",
  file: "",
  contentType: "",
  messageTopic: "",
  version: 0,
};

/** Which transports use a field. */
const USED: Record<"url" | "every" | "topic" | "listen", readonly string[]> = {
  url: ["poll", "ws", "mqtt", "tcp"],
  every: ["poll"],
  topic: ["mqtt"],
  listen: ["tcp", "udp"],
};

export const uses = (draft: Draft, field: keyof typeof USED): boolean =>
  USED[field].includes(draft.transport);

const FIELDS = [
  "name",
  "kind",
  "agency",
  "attribution",
  "interval",
  "format",
  "transport",
] as const;

/** The settings of a draft, without what is empty or of no use to its transport. */
export function configOf(draft: Draft): Doc {
  const config: Doc = { ...draft.rest };
  for (const field of FIELDS) {
    const value = draft[field].trim();
    if (value !== "") config[field] = value;
  }
  for (const field of ["url", "every", "topic", "listen"] as const) {
    const value = draft[field].trim();
    if (value !== "" && uses(draft, field)) config[field] = value;
  }
  if (MAPPED.includes(draft.format)) {
    if (draft.map.trim() !== "") config["map"] = draft.map;
    if (EACH.includes(draft.format) && draft.each.trim() !== "") {
      const options = isDoc(config["options"]) ? config["options"] : {};
      config["options"] = { ...options, each: draft.each };
    }
  }
  return config;
}

/** What no attempt needs to say: a feed that is only tried has a name all the same. */
const UNNAMED = "coba";

/** What is sent to try it. */
export function attemptOf(draft: Draft): Attempt {
  const attempt: Attempt = {};
  if (draft.mode === "yaml") attempt.yaml = draft.yaml;
  else attempt.config = { name: UNNAMED, ...configOf(draft) };
  if (draft.origin === "fetch") {
    attempt.fetch = true;
    return attempt;
  }
  if (draft.base64 !== "") attempt.body_base64 = draft.base64;
  else attempt.body = draft.body;
  if (draft.contentType !== "") attempt.content_type = draft.contentType;
  if (draft.messageTopic !== "") attempt.topic = draft.messageTopic;
  return attempt;
}

/** A fault of a program with the program's own line: the server counts those of the settings, which a form does not show. */
export const inProgram = (fault: Fault): Fault => ({
  ...fault,
  line: Number(/^line (\d+) column/.exec(fault.text)?.[1] ?? 0),
});

const OWN = new Set<string>([
  ...FIELDS,
  "url",
  "every",
  "topic",
  "listen",
  "map",
]);

/** A draft of settings that are kept: what has no field stays in `rest`. */
export function draftOf(config: Doc, version: number): Draft {
  const rest: Doc = {};
  for (const [key, value] of Object.entries(config)) {
    if (!OWN.has(key)) rest[key] = value;
  }
  const options = isDoc(config["options"]) ? { ...config["options"] } : {};
  const each = text(options["each"]);
  if (each !== "") {
    delete options["each"];
    if (Object.keys(options).length > 0) rest["options"] = options;
    else delete rest["options"];
  }
  const field = (key: string) => shown(config[key]);
  return {
    ...EMPTY,
    name: field("name"),
    kind: field("kind"),
    agency: field("agency"),
    attribution: field("attribution"),
    interval: field("interval"),
    format: field("format") || EMPTY.format,
    transport: field("transport") || EMPTY.transport,
    url: field("url"),
    every: field("every") || EMPTY.every,
    topic: field("topic"),
    listen: field("listen"),
    map: field("map"),
    each,
    rest,
    version,
  };
}

/** What a name of a feed is: 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit. */
export const named = (name: string): boolean =>
  /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name);

/** A name from what somebody wrote: "Muka Air" becomes "muka-air". */
export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 63);
