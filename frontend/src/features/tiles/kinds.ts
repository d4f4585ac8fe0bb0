// Kinds of Things that tiles read.

/** By tile. A tile that is not here reads no Thing. */
export const TILE_KINDS = {
  gauges: ["river_gauge", "lake_buoy"],
  rain: ["rain_gauge", "weather_station", "weather"],
} as const satisfies Record<string, readonly string[]>;

/** The kinds that some tiles read. */
export const kindsOf = (tiles: readonly string[]): readonly string[] =>
  tiles.flatMap(
    (tile) => (TILE_KINDS as Record<string, readonly string[]>)[tile] ?? [],
  );
