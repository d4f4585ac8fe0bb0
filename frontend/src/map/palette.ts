// The map's colours are tokens (src/ui/tokens.css); this reads them once per theme.

const NAMES = {
  sea: "--m-sea",
  waterline: "--m-wl",
  neighbour: "--m-nb",
  neighbourLine: "--m-nbl",
  land: "--m-land",
  vignette: "--m-vig",
  outline: "--m-out",
  edge: "--m-kec",
  graticule: "--m-gr",
  casing: "--m-case",
  lake: "--m-lake",
  lakeWaterline: "--m-lwl",
  lakeLine: "--m-lkl",
  enclave: "--m-ks",
  river: "--m-riv",
  road: "--m-road",
  label: "--m-label",
  quietLabel: "--m-label-2",
  halo: "--m-halo",
  hatch: "--hatch",
  fineHatch: "--hatch-none",
  dot: "--dot",
  mark: "--text-1",
  markLow: "--text-3",
  plate: "--bg-0",
  markLine: "--mark-line",
  hex1: "--sev-1",
  hex2: "--sev-2",
  hex3: "--sev-3",
  hex4: "--sev-4",
  hexUnknown: "--sev-u",
} as const;

export type Palette = Record<keyof typeof NAMES, string>;

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const entries = Object.entries(NAMES).map(([key, token]) => [
    key,
    style.getPropertyValue(token).trim() || "#888888",
  ]);
  return Object.fromEntries(entries) as Palette;
}

/** The same colours without hue and darker: the picture has stopped. */
export function withoutHue(palette: Palette): Palette {
  const grey = (colour: string) => {
    const hex = Number.parseInt(colour.slice(1, 7), 16);
    const luma =
      0.2126 * ((hex >> 16) & 255) +
      0.7152 * ((hex >> 8) & 255) +
      0.0722 * (hex & 255);
    const value = Math.round(luma * 0.84)
      .toString(16)
      .padStart(2, "0");
    return `#${value}${value}${value}`;
  };
  return Object.fromEntries(
    Object.entries(palette).map(([key, colour]) => [key, grey(colour)]),
  ) as Palette;
}
