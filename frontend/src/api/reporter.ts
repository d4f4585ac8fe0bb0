// /api/v1/reports/{id}/reporter: who gave a report, masked, or whole for a reason that is kept.
import { call, type Answer } from "./call";
import { count, doc, docs, text, type Doc } from "./read";

export interface Shown {
  by: string;
  name: string;
  at: string | null;
}

/** Who gave a report, as much as may be seen without a reason. */
export interface MaskedReporter {
  name: string;
  phone: string;
  email: string;
  address: boolean;
  note: boolean;
  /** The same for every report of one person; tells nothing of them. */
  ref: string;
  callToday: number;
  callsToday: number;
  goneAt: string | null;
  gone: string;
  shown: Shown[];
}

export interface WholeReporter {
  name: string;
  phone: string;
  email: string;
  address: string;
  device: string;
  note: string;
}

const shownOf = (d: Doc): Shown => ({
  by: text(d["by"]),
  name: text(d["name"]),
  at: text(d["at"]) || null,
});

const reporter = (report: string) =>
  `/api/v1/reports/${encodeURIComponent(report)}/reporter`;

export async function fetchReporter(
  report: string,
): Promise<Answer<MaskedReporter>> {
  const answer = await call<unknown>("GET", reporter(report));
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      name: text(d["name"]),
      phone: text(d["phone"]),
      email: text(d["email"]),
      address: d["address"] === true,
      note: d["note"] === true,
      ref: text(d["person_ref"]),
      callToday: count(d["call_today"]),
      callsToday: count(d["calls_today"]),
      goneAt: text(d["gone_at"]) || null,
      gone: text(d["gone"]),
      shown: docs(d["shown"]).map(shownOf),
    },
  };
}

export async function revealReporter(
  report: string,
  reason: string,
): Promise<Answer<WholeReporter>> {
  const answer = await call<unknown>("POST", `${reporter(report)}/reveal`, {
    reason,
  });
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      name: text(d["name"]),
      phone: text(d["phone"]),
      email: text(d["email"]),
      address: text(d["address"]),
      device: text(d["device"]),
      note: text(d["note"]),
    },
  };
}
