// A checkpoint as people meet it: on the wall at shift change, under the briefing, on the auditor's screen. Pure.
import { parseCheckpoint } from "./proof";

export interface Seal {
  /** The whole signed checkpoint: what its QR holds. */
  text: string;
  /** Records. */
  size: number;
  /** Base64. */
  root: string;
  /** Who has signed besides the log itself. */
  witnesses: string[];
  /** When it was read, milliseconds since 1970. */
  at: number;
}

/** null: there is none that can be read. */
export function readSeal(
  read: { text: string; at: number } | null,
): Seal | null {
  if (!read) return null;
  try {
    const c = parseCheckpoint(read.text);
    const names = c.signatures.map((s) => s.name);
    const witnesses = [...new Set(names)].filter((n) => n !== c.origin);
    return { ...read, size: c.size, root: c.rootText, witnesses };
  } catch {
    return null;
  }
}

/** Characters of a root that tell it from another at a glance. */
export const ROOT_SHOWN = 12;
