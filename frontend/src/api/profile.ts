// GET /api/v1/profile: the place that this room watches.
import type {
  Feature,
  FeatureCollection,
  MultiPolygon,
  Polygon,
} from "geojson";

export interface AreaProperties {
  code: string;
  name: string;
  kind: "district" | "lake" | "neighbour" | "zone";
  seat?: string;
}

export type AreaShape = Polygon | MultiPolygon;

export interface Profile {
  slug: string;
  name: string;
  center: { lng: number; lat: number };
  bbox: [number, number, number, number];
  time_zone: string;
  prefix: string;
  attribution: string;
  /** Plain HTTP beyond this machine: every screen says so. */
  insecure: boolean;
  agencies: { slug: string; name: string }[];
  areas: FeatureCollection<AreaShape, AreaProperties>;
  outline: Feature<AreaShape> | null;
}

/** The house asks who we are: go and sign in, then come back here. */
export class SignedOut extends Error {}

/** Reads the profile. Throws SignedOut on 401, an Error with the status on anything else but 200. */
export async function fetchProfile(): Promise<Profile> {
  const answer = await fetch("/api/v1/profile", {
    headers: { accept: "application/json" },
  });
  if (answer.status === 401) throw new SignedOut("profile: not signed in");
  if (!answer.ok) {
    throw new Error(`profile: the server answered ${answer.status}`);
  }
  return (await answer.json()) as Profile;
}
