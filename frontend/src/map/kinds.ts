// How loud a kind of Thing is on the map. What watches the ground stands out; what is many stays small until one looks closer.

/** 0: stations that watch the ground. 1: what moves or serves. 2: crowds. */
export type Prominence = 0 | 1 | 2;

const PROMINENCE: Record<string, Prominence> = {
  river_gauge: 0,
  rain_gauge: 0,
  weather: 0,
  weather_station: 0,
  seismometer: 0,
  air_quality: 0,
  water_quality: 0,
  lake_buoy: 0,
  road_sensor: 0,
  volcano: 0,
  camera: 0,
  streetlight: 2,
  phone: 2,
  truck: 2,
  bus: 2,
  car: 2,
  taxi: 2,
  tram: 2,
  train: 2,
};

/** Kinds that watch the ground: what incidents rest on. */
export const STATIONS: readonly string[] = Object.keys(PROMINENCE).filter(
  (kind) => PROMINENCE[kind] === 0,
);

export function prominence(kind: string): Prominence {
  return PROMINENCE[kind] ?? 1;
}
