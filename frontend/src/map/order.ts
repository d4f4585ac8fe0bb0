// The drawing order of the map, bottom to top (mock notes, "Offline base map"). A layer that is not named here is not drawn.
export const ORDER = [
  "sea",
  "waterline-1",
  "waterline-2",
  "waterline-3",
  "neighbour-land",
  "coast",
  "graticule",
  "casing",
  "district-land",
  "unobserved",
  "observed-land",
  "observed-dots",
  "silent-land",
  "silent-hatch",
  "vignette-1",
  "vignette-2",
  "vignette-3",
  "district-edge",
  "enclave",
  "enclave-edge",
  "lake",
  "lake-waterline",
  "lake-edge",
  "outline",
  "alert-outline",
  "district-label",
  "water-label",
  "neighbour-label",
  "quake-ring",
  "quake-core",
  "quake-label",
  "thing-mark",
  "thing-label",
  "mark-space",
] as const;

export type LayerName = (typeof ORDER)[number];
export type SourceName =
  | "coast-land"
  | "coast-lines"
  | "graticule"
  | "areas"
  | "outline"
  | "rings"
  | "labels"
  | "watch"
  | "alert-areas"
  | "quakes"
  | "things"
  | "marks";

export const SOURCES: readonly SourceName[] = [
  "coast-land",
  "coast-lines",
  "graticule",
  "areas",
  "outline",
  "rings",
  "labels",
  "watch",
  "alert-areas",
  "quakes",
  "things",
  "marks",
];
