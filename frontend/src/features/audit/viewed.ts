// Who saw what: the acts by which somebody has seen personal data or taken it away.
import { fetchActs, type ActsPage, type Sought } from "../../api/audit";
import type { Answer } from "../../api/call";

export const VIEWS = [
  "reporter.revealed",
  "report.revealed",
  "attachment.viewed",
  "held.revealed",
  "breach.gathered",
  "audit.exported",
] as const;

/** Of each kind the newest, this many at once. */
const EACH = 200;

/**
 * Views, the newest first. `page` is the time before which they are asked for: where a kind has more than came, nothing older than what
 * came of it is told, so that none is left out between.
 */
export async function fetchViews(
  sought: Sought,
  page = "",
): Promise<Answer<ActsPage>> {
  const to = page || sought.to;
  const answers = await Promise.all(
    VIEWS.map((action) => fetchActs({ ...sought, action, to }, "", EACH)),
  );
  const acts: ActsPage["acts"] = [];
  let since = "";
  for (const answer of answers) {
    if (!answer.ok) return answer;
    acts.push(...answer.body.acts);
    const oldest = answer.body.acts.at(-1);
    if (answer.body.next !== "" && oldest && oldest.at > since)
      since = oldest.at;
  }
  const told = acts.filter((a) => a.at >= since).sort((a, b) => b.seq - a.seq);
  // Its own millisecond is asked for again: more may have been done in it than came.
  const next = since && new Date(Date.parse(since) + 1).toISOString();
  return { ok: true, body: { acts: told, next } };
}
