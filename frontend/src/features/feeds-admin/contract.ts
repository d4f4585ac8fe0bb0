// A feed's contract as rows: what each property is, how wide it ranges, how often it is missing, and by whom that was said.
import { count, doc, figure, text, type Doc } from "../../api/read";

export interface ContractRow {
  kind: string;
  property: string;
  unit: string;
  min: number | null;
  max: number | null;
  /** The range was written down, not learned. */
  declared: boolean;
  /** Share of messages without it, 0 to 1; null: not known. */
  missing: number | null;
  readings: number;
}

export interface ContractView {
  since: string | null;
  deliveries: number;
  items: number;
  rows: ContractRow[];
}

/** The most frequent unit. */
function unitOf(units: Doc): string {
  const known = Object.entries(units).map(
    ([unit, n]) => [unit, count(n)] as const,
  );
  return known.sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

export function readContract(contract: Doc | null): ContractView | null {
  if (contract === null) return null;
  const rows: ContractRow[] = [];
  for (const [kind, k] of Object.entries(doc(contract["kinds"]))) {
    for (const [property, p] of Object.entries(doc(doc(k)["properties"]))) {
      const e = doc(p);
      const share = figure(e["share"]);
      rows.push({
        kind,
        property,
        unit: unitOf(doc(e["units"])),
        min: figure(e["min"]),
        max: figure(e["max"]),
        declared: e["declared"] === true,
        missing: share === null ? null : Math.max(0, 1 - share),
        readings: count(e["readings"]),
      });
    }
  }
  return {
    since: text(contract["since"]) || null,
    deliveries: count(contract["deliveries"]),
    items: count(contract["items"]),
    rows: rows.sort((a, b) =>
      a.kind + a.property < b.kind + b.property ? -1 : 1,
    ),
  };
}
