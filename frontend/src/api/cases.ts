// /api/v1/incidents/{id}: what several who work one incident say, enclose, and ask of each other.
import type { Attachment, Comment, Incident } from "../wire/wire";
import { call, query, worded, type Answer, type Problem } from "./call";
import type { Known } from "./incidents";

const at = (id: string) => `/api/v1/incidents/${encodeURIComponent(id)}`;

/** A name for one act that nobody else gives; without TLS browsers have no randomUUID. */
export function fresh(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** The same key of the same person says it once, however often it is sent. */
export const say = (
  { id }: Incident,
  text: string,
  key: string,
): Promise<Answer<Comment>> =>
  call("POST", `${at(id)}/comments`, { text }, undefined, {
    "idempotency-key": key,
  });

export type FileKind = "photo" | "audio" | "file";

/** Where the bytes of an attachment are; small: the thumbnail of a photo. */
export const fileOf = (
  { id }: Incident,
  attachment: string,
  size: "small" | "" = "",
): string =>
  `${at(id)}/attachments/${encodeURIComponent(attachment)}${query({ size })}`;

/** The house gives a file 50 s; a line that is slower does not bring it. */
const FILE_MS = 60_000;

/** Sends the bytes as they are; `told` hears how much has gone, 0 to 1. Never throws. */
export function enclose(
  { id }: Incident,
  file: Blob,
  kind: FileKind,
  key: string,
  told: (share: number) => void,
): Promise<Answer<Attachment>> {
  return new Promise((done) => {
    const ask = new XMLHttpRequest();
    ask.open("POST", `${at(id)}/attachments${query({ kind })}`);
    ask.timeout = FILE_MS;
    ask.responseType = "json";
    ask.setRequestHeader("accept", "application/json");
    ask.setRequestHeader("idempotency-key", key);
    ask.setRequestHeader(
      "content-type",
      file.type || "application/octet-stream",
    );
    ask.upload.onprogress = (e) => {
      if (e.lengthComputable && e.total > 0) told(e.loaded / e.total);
    };
    const lost = () => {
      done({ ok: false, status: 0, problem: {} });
    };
    ask.onerror = lost;
    ask.ontimeout = lost;
    ask.onabort = lost;
    ask.onload = () => {
      const body: unknown = ask.response;
      const { status } = ask;
      if (status === 201) {
        done({ ok: true, body: body as Attachment });
        return;
      }
      const problem = (body ?? {}) as Problem;
      void worded(problem).then(() => {
        done({ ok: false, status, problem });
      });
    };
    ask.send(file);
  });
}

/** `to`: slug of an agency, or neighbour:SLUG. */
export const askHandover = (
  { id, version }: Incident,
  to: string,
  note: string,
): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/handover`, { to, note, version });

/** `number` is the asked agency's own of the case; a neighbour's yes has one. */
export const acceptHandover = (
  { id, version }: Incident,
  note: string,
  number: string,
): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/handover/accept`, {
    note,
    version,
    ...(number !== "" && { external_id: number }),
  });

/** No, with a reason; whoever asked takes the question back by the same. */
export const declineHandover = (
  { id, version }: Incident,
  note: string,
): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/handover/decline`, { note, version });
