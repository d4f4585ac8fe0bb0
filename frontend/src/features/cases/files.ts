// Files of an incident: which may be sent, how large, and in words why one was refused.
import { m } from "../../i18n/paraglide/messages.js";
import { number } from "../../i18n/format";
import type { FileKind } from "../../api/cases";
import type { Problem } from "../../api/call";
import { codeOf, problemWords } from "../../i18n/problem.svelte";
import { faultWords } from "../alarms/words";

const MB = 1 << 20;
/** The house takes no more. */
export const MOST_BYTES = 20 * MB;
/** What the house keeps, for the chooser of files. */
export const ACCEPT =
  "image/jpeg,image/png,audio/*,.amr,.m4a,.ogg,.webm,application/pdf";

/** As what a file is sent; the house looks at the bytes themselves. null: it keeps none such. */
export function kindOf({
  type,
  name,
}: {
  type: string;
  name: string;
}): FileKind | null {
  if (type === "image/jpeg" || type === "image/png") return "photo";
  if (type.startsWith("audio/")) return "audio";
  if (type === "application/pdf") return "file";
  // A recorder of voice: browsers call WebM a video, and do not know AMR.
  if (type === "video/webm" || /\.(amr|m4a)$/i.test(name)) return "audio";
  return null;
}

/** "1,4 MB", "310 KB". */
export const sizeWord = (bytes: number): string =>
  bytes >= MB
    ? `${number(bytes / MB, 1)} MB`
    : `${number(Math.max(1, Math.round(bytes / 1024)), 0)} KB`;

/** Why a file was not kept. */
export function refusal(status: number, problem: Problem): string {
  switch (status) {
    case 0:
      return m.cas_file_unreachable();
    case 413:
      return m.cas_file_large({ most: sizeWord(MOST_BYTES) });
    case 415:
      return m.cas_file_kind();
    case 422:
      return /^file-/.test(codeOf(problem))
        ? m.cas_file_unkept({ why: problemWords(status, problem) })
        : m.cas_file_broken();
    case 507:
      return m.cas_file_full();
    default:
      return faultWords(status, problem);
  }
}
