// A feed's contract as rows: what each property is, how wide it ranges, how often it is missing, and what of it was written down.
import {
  count,
  doc,
  docs,
  figure,
  isDoc,
  list,
  text,
  type Doc,
} from "../../api/read";

export interface Bounds {
  min: number | null;
  max: number | null;
}

export interface ContractRow {
  kind: string;
  property: string;
  /** number, text or bool; empty where nothing of it has come. */
  type: string;
  unit: string;
  /** Another unit is written down than comes. */
  declaredUnit: string;
  /** Nearly all values lie here; null: no numbers. */
  learned: Bounds | null;
  declared: Bounds | null;
  required: boolean;
  /** The most that was missing of a Thing's messages, 0 to 1; null: not known. */
  missing: number | null;
  readings: number;
}

export interface ContractView {
  off: boolean;
  /** Too little has come to judge by. */
  learning: boolean;
  since: string | null;
  deliveries: number;
  items: number;
  things: number;
  /** West, south, east, north; null: no place is known. */
  box: readonly number[] | null;
  rows: ContractRow[];
}

/** The most frequent unit. */
function unitOf(units: Doc): string {
  const known = Object.entries(units).map(
    ([unit, n]) => [unit, count(n)] as const,
  );
  return known.sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

function boundsOf(declared: Doc): Bounds | null {
  const min = figure(declared["min"]);
  const max = figure(declared["max"]);
  return min === null && max === null ? null : { min, max };
}

export function readContract(contract: Doc | null): ContractView | null {
  if (contract === null) return null;
  const declared = doc(doc(contract["declared"])["properties"]);
  const rows = docs(contract["properties"]).map((p): ContractRow => {
    const property = text(p["property"]);
    const said = doc(declared[property]);
    const readings = count(p["readings"]);
    const unit = unitOf(doc(p["units"]));
    const declaredUnit = text(said["unit"]);
    return {
      kind: text(p["kind"]),
      property,
      type: text(p["type"]),
      unit,
      declaredUnit: declaredUnit === unit ? "" : declaredUnit,
      learned:
        text(p["type"]) === "number" && readings > 0
          ? { min: figure(p["low"]), max: figure(p["high"]) }
          : null,
      declared: boundsOf(said),
      required: said["required"] === true,
      missing: readings > 0 ? Math.max(0, 1 - count(p["presence"])) : null,
      readings,
    };
  });
  const seen = new Set(rows.map((r) => r.property));
  for (const [property, said] of Object.entries(declared)) {
    if (seen.has(property) || !isDoc(said)) continue;
    rows.push({
      kind: "",
      property,
      type: "",
      unit: "",
      declaredUnit: text(said["unit"]),
      learned: null,
      declared: boundsOf(said),
      required: said["required"] === true,
      missing: null,
      readings: 0,
    });
  }
  const box = list(contract["bbox"]).filter((v) => typeof v === "number");
  return {
    off: contract["off"] === true,
    learning: contract["learning"] === true,
    since: text(contract["since"]) || null,
    deliveries: count(contract["deliveries"]),
    items: count(contract["items"]),
    things: count(contract["things"]),
    box: box.length === 4 ? box : null,
    rows,
  };
}
