// What goes on paper of the units: the roster with the last word of each, and whoever else reports a position.
import { wordsOf, type Profile } from "../../api/profile";
import type { Lang } from "../../i18n/lang.svelte";

/** A position as the fleet has it. */
export interface Heard {
  /** `<feed>:<agency>/<call sign>`. */
  id: string;
  name: string;
  /** Milliseconds since 1970. */
  atMs: number;
  simulated: boolean;
}

export interface UnitLine {
  id: string;
  name: string;
  agency: string;
  /** Where it stands by. */
  post: string;
  capabilities: string;
  /** When its position was told last; null: never here. */
  atMs: number | null;
}

const native = (id: string) => id.slice(id.indexOf(":") + 1);

/** By agency and name. What is simulated is on no paper. */
export function unitLines(
  profile: Profile | null,
  heard: readonly Heard[],
  lang: Lang,
): UnitLine[] {
  const last = new Map(
    heard.filter((h) => !h.simulated).map((h) => [native(h.id), h]),
  );
  const agency = (slug: string) => {
    const known = profile?.agencies.find((a) => a.slug === slug);
    return wordsOf(known?.names, lang) || known?.name || slug;
  };
  const can = (code: string) =>
    wordsOf(profile?.capabilities.find((c) => c.code === code)?.names, lang) ||
    code;
  const lines: UnitLine[] = [];
  for (const u of profile?.units ?? []) {
    const id = `${u.agency}/${u.call_sign}`;
    lines.push({
      id,
      name: u.name || u.call_sign,
      agency: agency(u.agency),
      post: u.post.name,
      capabilities: u.capabilities.map(can).join(", "),
      atMs: last.get(id)?.atMs ?? null,
    });
    last.delete(id);
  }
  for (const [id, h] of last)
    lines.push({
      id,
      name: h.name || id,
      agency: agency(id.split("/")[0] ?? ""),
      post: "",
      capabilities: "",
      atMs: h.atMs,
    });
  return lines.sort(
    (a, b) =>
      a.agency.localeCompare(b.agency) ||
      a.name.localeCompare(b.name) ||
      (a.id < b.id ? -1 : 1),
  );
}
