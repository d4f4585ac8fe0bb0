// The drawing order of the map, bottom to top (mock notes, "Offline base map"). A layer that is not named here is not drawn.
// cell-ground, cell-mark (layers/cell-layer.ts) and thing-mark (layers/fleet.ts) are layers of our own; they are put in their places when
// the style has loaded.
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
  "cell-ground",
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
  "cell-mark",
  "alert-outline",
  "plan-hatch",
  "plan-edge",
  "plan-line-case",
  "plan-line",
  "plan-point",
  "trail-before",
  "trail",
  "report",
  "thing-mark",
  "place-chosen",
  "district-label",
  "water-label",
  "neighbour-label",
  "quake-ring",
  "quake-core",
  "quake-label",
  "plan-label",
  "cell-label",
  "thing-room",
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
  | "plans"
  | "trails"
  | "quakes"
  | "reports"
  | "things"
  | "marks"
  | "cell-words"
  | "chosen";

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
  "plans",
  "trails",
  "quakes",
  "reports",
  "things",
  "marks",
  "cell-words",
  "chosen",
];
