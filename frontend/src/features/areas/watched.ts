// How much of the area is looked at, counted from live Things: what cannot be counted is not claimed.
import type { Profile } from "../../api/profile";
import { contains } from "../../map/geometry";

export interface Watched {
  districts: number;
  watched: number;
}

export function watchedDistricts(
  profile: Profile,
  live: readonly { lng: number; lat: number }[],
): Watched {
  const districts = profile.areas.features.filter(
    (f) => f.properties.kind === "district",
  );
  const watched = districts.filter((d) =>
    live.some((t) => contains(d.geometry, t.lng, t.lat)),
  );
  return { districts: districts.length, watched: watched.length };
}
