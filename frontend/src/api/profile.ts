// GET /api/v1/profile: the place that this room watches.
import type {
  Feature,
  FeatureCollection,
  MultiPolygon,
  Polygon,
} from "geojson";
import type { Severity } from "../wire/wire";

/** Words by language. */
export type Text = Partial<Record<string, string>>;

export interface AreaProperties {
  code: string;
  /** Of the same place by code system: bps, kemendagri. */
  codes?: Record<string, string>;
  name: string;
  kind: "district" | "lake" | "neighbour" | "zone";
  seat?: string;
  /** A place in the middle, inside. */
  center?: { lng: number; lat: number };
}

export type AreaShape = Polygon | MultiPolygon;

export interface Agency {
  slug: string;
  name: string;
  names?: Text;
  role?: Text;
  /** Slugs of the incident type table that it stands for here. */
  acts_as?: string[];
  hotline?: string;
  partner?: boolean;
}

export interface Neighbour {
  slug: string;
  name: string;
  codes?: Record<string, string>;
  relation: "enclosed" | "borders";
  /** Codes of the areas that are its own. */
  areas?: string[];
  /** Whom to call for a hand-over; empty: not known. */
  emergency_number: string;
  note?: Text;
}

export interface Capability {
  code: string;
  names: Text;
}

export interface RosterUnit {
  agency: string;
  call_sign: string;
  name: string;
  capabilities: string[];
  post: { name: string; lng: number; lat: number };
  /** Made up for a demonstration. */
  example: boolean;
}

export interface HazardSite {
  slug: string;
  name: string;
  kind: "volcano" | "fault" | "lake" | "road" | "landslide" | "flood" | "coast";
  lng: number;
  lat: number;
  radius_m: number;
  elevation_m?: number;
  /** Slug, where the place is not ours. */
  neighbour?: string;
  note?: Text;
  /** "V: who says so", "G" general knowledge, "D" our default. */
  source: string;
}

export interface StatusLevel {
  /** 1 is the calmest. */
  level: number;
  code: string;
  names: Text;
  colour: string;
  /** By language: suggested when any holds. */
  rules?: Partial<Record<string, string[]>>;
  set_by?: Text;
}

/** Somebody else's scale, from the calmest step to the worst, whatever they are called. */
export interface Scale {
  scale: string;
  names: Text;
  /** down: I is the worst. */
  direction: "up" | "down";
  steps: {
    code: string;
    names: Text;
    colour?: string;
    /** Absent: calm. */
    severity?: Severity;
    /** The least status of the area that it suggests. */
    status: number;
  }[];
}

/** A written rule of a status level. */
export interface StatusRule {
  id: string;
  names: Text;
}

export interface Service {
  default_zone?: string;
  zones?: { code: string; names: Text }[];
  /** Minutes from the first signal, for 90 of 100. */
  classes?: {
    code: string;
    names: Text;
    ack_min?: number;
    dispatch_min?: number;
    decide_min?: number;
    on_scene_min?: Record<string, number>;
    done_min?: number;
  }[];
}

export interface BasemapInfo {
  kind: "none" | "pmtiles" | "style";
  /** On our own origin; empty where there is none. */
  url: string;
  tiles?: "vector" | "raster";
  attribution: string;
}

export interface Profile {
  slug: string;
  name: string;
  names: Text;
  codes: Record<string, string> | null;
  center: { lng: number; lat: number };
  bbox: [number, number, number, number];
  /** The wider box that still concerns us. */
  watch: [number, number, number, number];
  margin_km: number;
  time_zone: string;
  languages: string[];
  prefix: string;
  phone_area: string;
  attribution: string;
  /** Plain HTTP beyond this machine: every screen says so. */
  insecure: boolean;
  code_system: string;
  agencies: Agency[];
  capabilities: Capability[];
  units: RosterUnit[];
  hazard_sites: HazardSite[];
  neighbours: Neighbour[];
  levels: {
    status: StatusLevel[];
    scales: Scale[];
    status_rules?: StatusRule[];
  };
  sla: Service;
  basemap: BasemapInfo;
  areas: FeatureCollection<AreaShape, AreaProperties>;
  outline: Feature<AreaShape> | null;
}

/** The house asks who we are: go and sign in, then come back here. */
export class SignedOut extends Error {}

/** What a profile that says less is taken for. */
const LESS = {
  names: {},
  codes: null,
  margin_km: 0,
  languages: ["id", "en"],
  phone_area: "",
  code_system: "",
  capabilities: [],
  units: [],
  hazard_sites: [],
  neighbours: [],
  levels: { status: [], scales: [] },
  sla: {},
  basemap: { kind: "none", url: "", attribution: "" },
} satisfies Partial<Profile>;

type Needed = Omit<Profile, keyof typeof LESS | "watch"> & Partial<Profile>;

/** Fills in what an older server does not say. */
export function wholeProfile(given: Needed): Profile {
  return { watch: given.bbox, ...LESS, ...given };
}

/** Reads the profile. Throws SignedOut on 401, an Error with the status on anything else but 200. */
export async function fetchProfile(): Promise<Profile> {
  const answer = await fetch("/api/v1/profile", {
    headers: { accept: "application/json" },
  });
  if (answer.status === 401) throw new SignedOut("profile: not signed in");
  if (!answer.ok) {
    throw new Error(`profile: the server answered ${answer.status}`);
  }
  return wholeProfile((await answer.json()) as Needed);
}

/** Words in a language, else in the profile's own, else none. */
export function wordsOf(text: Text | undefined, language: string): string {
  return text?.[language] ?? Object.values(text ?? {})[0] ?? "";
}

/** How people call an agency: by its slug, or by that of one it stands for; the slug itself where nobody is known. */
export function agencyName(
  profile: Profile,
  slug: string,
  language: string,
): string {
  const found =
    profile.agencies.find((a) => a.slug === slug) ??
    profile.agencies.find((a) => a.acts_as?.includes(slug));
  return wordsOf(found?.names, language) || (found?.name ?? slug);
}
