// Kinds of files, and who is asked to lead, in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import { decisionWord, proofWord } from "../life/words";

const KIND: Record<string, () => string> = {
  photo: m.cas_kind_photo,
  audio: m.cas_kind_audio,
  file: m.cas_kind_file,
};
export const kindWord = (kind: string): string => KIND[kind]?.() ?? kind;

/** The service times that may be missed, as the clocks call them. */
const STEP: Record<string, () => string> = {
  ack: m.desk_clock_ack,
  dispatch: m.desk_clock_dispatch,
  scene: m.desk_clock_scene,
  resolve: m.life_clock_resolve,
  decision: m.life_clock_decision,
};

/** "pupr: the road is ours", "neighbour:padang": whom it is about, and what was said. */
const ABOUT = /^((?:neighbour:)?[a-z0-9-]+)(?:: ([^]*))?$/;

/** The note of an act of several together in words; null: it is no such act. */
export function togetherWords(
  act: string,
  note: string,
  leads: (to: string) => string,
): string | null {
  if (act === "attached") return kindWord(note);
  if (act === "sla_missed") return STEP[note]?.() ?? note;
  if (act === "proved" || act === "confirmed" || act === "decided") {
    const [kind = "", ...rest] = note.split(": ");
    const word = act === "decided" ? decisionWord(kind) : proofWord(kind);
    return [word, ...rest].join(": ");
  }
  const [, to = "", said = ""] = act.startsWith("handover_")
    ? (ABOUT.exec(note) ?? [])
    : [];
  if (to === "") return null;
  return said === "" ? leads(to) : `${leads(to)}: ${said}`;
}
