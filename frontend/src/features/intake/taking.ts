// What the keys of intake mean, and what is sent. Pure.
import type { Hint, Judgement, Told } from "../../api/intake";
import type { ReportJudgement } from "../../wire/wire";
import type { Point } from "../desk/coordinates";

/** One key each, that no text field needs: they work while somebody types. */
export const KEYS: Record<string, ReportJudgement> = {
  F2: "incident",
  F4: "duplicate",
  F8: "not_an_emergency",
  F9: "prank",
  F10: "referred",
};

export const JUDGEMENTS = Object.entries(KEYS).map(([key, as]) => ({
  key,
  as,
}));

/** The judgement that a press means; null: none. */
export function judgementOf(event: {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
}): ReportJudgement | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey)
    return null;
  return event.repeat ? null : (KEYS[event.key] ?? null);
}

/** The incident that a duplicate joins: the one that was chosen, else the first that is told of. */
export function target(
  hints: readonly Hint[],
  chosen: string | null,
): Hint | undefined {
  const incidents = hints.filter((h) => h.kind === "incident");
  return incidents.find((h) => h.id === chosen) ?? incidents[0];
}

export interface Fields {
  number: string;
  text: string;
  type: string;
  place: string;
  point: Point | null;
}

/** The report of a form; what nobody has said is told by the judgement, for a report has words. */
export function told(fields: Fields, channel: string, unsaid: string): Told {
  const { number, text, type, place, point } = fields;
  return {
    channel,
    text: text.trim() || unsaid,
    ...(type !== "" && { type }),
    ...(point && { lng: point.lng, lat: point.lat }),
    ...(place.trim() !== "" && { address: place.trim() }),
    ...(number.trim() !== "" && { reporter: { phone: number.trim() } }),
  };
}

/** Why a judgement cannot be sent yet; null: it can. */
export function lacking(
  as: ReportJudgement,
  type: string,
  joins: Hint | undefined,
): "type" | "incident" | null {
  if (as === "incident" && type === "") return "type";
  if (as === "duplicate" && !joins) return "incident";
  return null;
}

export const judgement = (
  as: ReportJudgement,
  type: string,
  joins: Hint | undefined,
): Judgement => ({
  as,
  ...(as === "incident" && { type }),
  ...(as === "duplicate" && joins && { incident: joins.id }),
});

/** A name for one report that nobody else gives; without TLS browsers have no randomUUID. */
export function fresh(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
