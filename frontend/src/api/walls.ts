// /api/v1/scenes and /api/v1/walls: layouts of big screens, what each is set to, and what it says of itself.
import { call, type Answer } from "./call";
import { deviceOf, type Device } from "./devices";
import { count, doc, docs, figure, isDoc, list, text, texts } from "./read";

/** A layout of a wall. Tiles are named by id; one that a screen does not know is left out. */
export interface Scene {
  id: string;
  name: Record<string, string>;
  /** null: tiles fill the screen. */
  map: {
    fit: "incidents" | "area" | "focus";
    /** Kinds of Things; "*" is all. */
    layers: string[];
    /** Types of incidents; none: every type. */
    types: string[];
    inset: boolean;
  } | null;
  rail: string[];
  over: string[];
  foot: string[];
  /** null: it never comes by itself. */
  when: { level: number; hazards: string[] } | null;
  frame: "exercise" | null;
  redact: string[];
  /** 0: as by day, to 0.8. */
  dim: number;
  message: boolean;
  dwellS: number;
}

/** What a wall is set to, with what is known of its device. A window of a person has no id. */
export interface Wall {
  id: string;
  name: string;
  place: string;
  screen: string;
  scene: string;
  tour: string[];
  /** 0: as long as each scene says. */
  dwellS: number;
  language: "id" | "en";
  textScale: number;
  distanceM: number;
  /** 0: not known. */
  mmPerPx: number;
  /** "2/4"; empty: a picture of its own. */
  part: string;
  sound: boolean;
  focus: string | null;
  /** West, south, east, north. */
  view: [number, number, number, number] | null;
  heldBy: string;
  heldUntil: string | null;
  /** Levels of the area, by hazard, over which a person chose what it shows; null: what comes by a level comes. */
  chosen: { at: string | null; levels: Record<string, number> } | null;
  /** The server's time at which it takes effect on every wall at once. */
  applyAt: string | null;
  version: number;
}

export interface WallReport {
  scene: string;
  width: number;
  height: number;
  ratio: number;
  /** 0: the browser does not say. */
  heap_bytes: number;
  nodes: number;
  latency_ms: { p50: number; p95: number; p99: number };
  worst_source: string;
  webgl_lost: number;
  reconnects: number;
  uptime_s: number;
  /** It is to sound, and the browser holds the sound back. */
  sound_blocked: boolean;
  build: string;
}

export interface FleetWall extends Wall {
  device: Device;
  /** What the browser calls itself. */
  agent: string;
  report: (WallReport & { at: string }) | null;
}

const FITS = ["incidents", "area", "focus"] as const;

export function sceneOf(value: unknown): Scene {
  const d = doc(value);
  const map = d["map"];
  const when = d["when"];
  return {
    id: text(d["id"]),
    name: Object.fromEntries(
      Object.entries(doc(d["name"])).map(([lang, name]) => [lang, text(name)]),
    ),
    map: isDoc(map)
      ? {
          fit: FITS.find((f) => f === map["fit"]) ?? "incidents",
          layers: texts(map["layers"]),
          types: texts(map["types"]),
          inset: map["inset"] === true,
        }
      : null,
    rail: texts(d["rail"]),
    over: texts(d["over"]),
    foot: texts(d["foot"]),
    when: isDoc(when)
      ? { level: count(when["level"]), hazards: texts(when["hazards"]) }
      : null,
    frame: d["frame"] === "exercise" ? "exercise" : null,
    redact: texts(d["redact"]),
    dim: count(d["dim"]),
    message: d["message"] === true,
    dwellS: count(d["dwell_s"]) || 20,
  };
}

function boxOf(value: unknown): Wall["view"] {
  const bbox = list(doc(value)["bbox"]).map(figure);
  const [west, south, east, north] = bbox;
  return west != null && south != null && east != null && north != null
    ? [west, south, east, north]
    : null;
}

/** Reads what a wall is set to: of an answer, or of a message `wall` of the live socket. */
export function wallOf(value: unknown): Wall {
  const d = doc(value);
  return {
    id: text(d["id"]),
    name: text(d["name"]),
    place: text(d["place"]),
    screen: text(d["screen"]),
    scene: text(d["scene"]) || "normal",
    tour: texts(d["tour"]),
    dwellS: count(d["dwell_s"]),
    language: d["language"] === "en" ? "en" : "id",
    textScale: count(d["text_scale"]) || 1,
    distanceM: count(d["distance_m"]) || 6,
    mmPerPx: count(d["mm_per_px"]),
    part: text(d["part"]),
    sound: d["sound"] === true,
    focus: text(d["focus"]) || null,
    view: boxOf(d["view"]),
    heldBy: text(d["held_by"]),
    heldUntil: text(d["held_until"]) || null,
    chosen: choiceOf(d["chosen"]),
    applyAt: text(d["apply_at"]) || null,
    version: count(d["version"]),
  };
}

function choiceOf(value: unknown): Wall["chosen"] {
  if (!isDoc(value)) return null;
  const levels = Object.entries(doc(value["levels"]));
  return {
    at: text(value["at"]) || null,
    levels: Object.fromEntries(levels.map(([of, n]) => [of, count(n)])),
  };
}

function reportOf(value: unknown): FleetWall["report"] {
  if (!isDoc(value)) return null;
  const latency = doc(value["latency_ms"]);
  return {
    at: text(value["at"]),
    scene: text(value["scene"]),
    width: count(value["width"]),
    height: count(value["height"]),
    ratio: count(value["ratio"]),
    heap_bytes: count(value["heap_bytes"]),
    nodes: count(value["nodes"]),
    latency_ms: {
      p50: count(latency["p50"]),
      p95: count(latency["p95"]),
      p99: count(latency["p99"]),
    },
    worst_source: text(value["worst_source"]),
    webgl_lost: count(value["webgl_lost"]),
    reconnects: count(value["reconnects"]),
    uptime_s: count(value["uptime_s"]),
    sound_blocked: value["sound_blocked"] === true,
    build: text(value["build"]),
  };
}

export function fleetWallOf(value: unknown): FleetWall {
  const d = doc(value);
  return {
    ...wallOf(d),
    device: deviceOf(d),
    agent: text(d["agent"]),
    report: reportOf(d["report"]),
  };
}

const ROOT = "/api/v1/walls";

async function read<T>(
  asked: Promise<Answer<unknown>>,
  of: (body: unknown) => T,
): Promise<Answer<T>> {
  const answer = await asked;
  return answer.ok ? { ...answer, body: of(answer.body) } : answer;
}

const all =
  <T>(of: (value: unknown) => T) =>
  (body: unknown): T[] =>
    docs(doc(body)["items"]).map(of);

/** The scenes of the house, in the order they are offered. */
export const fetchScenes = (): Promise<Answer<Scene[]>> =>
  read(call("GET", "/api/v1/scenes"), all(sceneOf));

/** Every wall, those that were removed included. */
export const fetchWalls = (): Promise<Answer<FleetWall[]>> =>
  read(call("GET", ROOT), all(fleetWallOf));

/** What this screen is set to; ask again after every reconnect. */
export const fetchMyWall = (screen = ""): Promise<Answer<Wall>> =>
  read(
    call(
      "GET",
      `${ROOT}/me${screen && `?screen=${encodeURIComponent(screen)}`}`,
    ),
    wallOf,
  );

/** Tells the house how this wall fares, each half minute. */
export const reportWall = (report: WallReport): Promise<Answer<unknown>> =>
  call("POST", `${ROOT}/me/report`, report);

/** What an administrator sets; what is left out stays as it is. */
export interface WallPatch {
  name?: string;
  place?: string;
  screen?: string;
  scene?: string;
  tour?: string[];
  dwell_s?: number;
  language?: "id" | "en";
  text_scale?: number;
  distance_m?: number;
  mm_per_px?: number;
  part?: string;
  sound?: boolean;
}

export const patchWall = (
  id: string,
  patch: WallPatch,
): Promise<Answer<Wall>> =>
  read(call("PATCH", `${ROOT}/${encodeURIComponent(id)}`, patch), wallOf);

/** What a desk does to walls. An empty focus or tour, a view of zeros and a hold of 0 end what there is. */
export interface Steering {
  walls: string[];
  scene?: string;
  tour?: string[];
  focus?: string;
  view?: { bbox: [number, number, number, number] };
  hold_minutes?: number;
}

/** Changes walls in step; answers what they are set to. */
export const steerWalls = (steering: Steering): Promise<Answer<Wall[]>> =>
  read(call("POST", `${ROOT}/steer`, steering), all(wallOf));
