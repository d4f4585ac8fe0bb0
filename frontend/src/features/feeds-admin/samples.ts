// One small sample per format, all invented, so that a try begins with something that works. Loaded only when one is asked for.
// server/app reads the same file in a test, and tries each of them. In bytes that may say any time, @NOW@ and its like become the present.
import samples from "./samples.json";

export interface Sample {
  body: string;
  contentType?: string;
  topic?: string;
  kind?: string;
  map?: string;
  each?: string;
}

/** As the file has it: texts by their lines. */
type Written = Omit<Sample, "body" | "map"> & {
  body: string[];
  map?: string[];
};

const SAMPLES: Record<string, Written> = samples;

const HOUR = 3_600_000;

/** The sample of a format as of a moment, milliseconds since 1970; null where there is none. */
export function sampleOf(format: string, now: number): Sample | null {
  const found = Object.hasOwn(SAMPLES, format) ? SAMPLES[format] : undefined;
  if (!found) return null;
  const iso = (ms: number) => new Date(ms).toISOString();
  const offset = (ms: number) => iso(ms).replace(/\.\d+Z$/, "+00:00");
  const times: Record<string, string> = {
    "@NOW@": iso(now),
    "@SOON@": iso(now + HOUR / 12),
    "@OFFSET@": offset(now),
    "@LATER@": offset(now + 6 * HOUR),
    "@UNIX@": String(Math.floor(now / 1000)),
    "@UNIXMS@": String(Math.floor(now)),
    "@RFC822@": new Date(now).toUTCString(),
  };
  const { map, body, ...rest } = found;
  return {
    ...rest,
    ...(map && { map: map.join("\n") }),
    body: `${body.join("\n")}\n`.replace(
      /@[A-Z0-9]+@/g,
      (name) => times[name] ?? name,
    ),
  };
}
