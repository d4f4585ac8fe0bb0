// How much of the area is looked at, counted from live Things: what cannot be counted is not claimed.
import type { Profile } from "../../api/profile";
import { boxOfShape, contains } from "../../map/geometry";

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
  const watched = districts.filter(({ geometry }) => {
    const box = boxOfShape(geometry);
    return live.some(
      ({ lng, lat }) =>
        box !== null &&
        lng >= box[0] &&
        lng <= box[2] &&
        lat >= box[1] &&
        lat <= box[3] &&
        contains(geometry, lng, lat),
    );
  });
  return { districts: districts.length, watched: watched.length };
}
