// GET /api/v1/cameras: which cameras there are, and single pictures of them. Their own addresses are the server's alone.
import { instant } from "../i18n/instant";
import { call } from "./call";
import { count, docs, isDoc, text, type Doc } from "./read";

export interface Camera {
  /** Of its Thing. */
  id: string;
  name: string;
  lng: number;
  lat: number;
  /** It has single pictures. */
  still: boolean;
  /** It has moving pictures. */
  hls: boolean;
  everyS: number;
  /** When its last picture came, by the server's clock; null: none has. */
  takenMs: number | null;
  restricted: boolean;
  simulated: boolean;
  attribution: string;
}

export interface Picture {
  blob: Blob;
  takenMs: number;
  /** How old it was when it was answered, by the server's clock. */
  ageMs: number;
}

const PATH = "/api/v1/cameras";
const STILL_MS = 16_000;

function cameraOf(of: Doc): Camera {
  return {
    id: text(of["id"]),
    name: text(of["name"]),
    lng: count(of["lng"]),
    lat: count(of["lat"]),
    still: of["still"] === true,
    hls: of["hls"] === true,
    everyS: Math.max(1, count(of["every_s"])),
    takenMs: instant(text(of["taken_at"])),
    restricted: of["restricted"] === true,
    simulated: of["simulated"] === true,
    attribution: text(of["attribution"]),
  };
}

/** Those that one may see; null: the house did not answer. */
export async function fetchCameras(): Promise<Camera[] | "denied" | null> {
  const answer = await call<unknown>("GET", PATH);
  if (!answer.ok && answer.status === 403) return "denied";
  if (!answer.ok || !isDoc(answer.body)) return null;
  return docs(answer.body["items"])
    .map(cameraOf)
    .filter((c) => c.id !== "");
}

/** The last picture, and when it came; null: there is none, or nobody answered. */
export async function fetchStill(
  id: string,
  signal: AbortSignal,
): Promise<Picture | null> {
  try {
    const answer = await fetch(`${PATH}/${encodeURIComponent(id)}/still`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(STILL_MS)]),
      cache: "no-store",
    });
    const taken = Date.parse(answer.headers.get("last-modified") ?? "");
    if (!answer.ok || Number.isNaN(taken)) return null;
    const said = Date.parse(answer.headers.get("date") ?? "");
    const ageMs = Number.isNaN(said) ? 0 : Math.max(0, said - taken);
    return { blob: await answer.blob(), takenMs: taken, ageMs };
  } catch {
    return null;
  }
}

/** Where its moving pictures begin. */
export const playlistOf = (id: string): string =>
  `${PATH}/${encodeURIComponent(id)}/hls/live.m3u8`;
