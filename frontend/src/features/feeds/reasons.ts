// Why a feed fares as it does, in the reader's language. The server says "code: text"; the code is stable (feeds/runner/health.go,
// feeds/bounded/fault.go), the text is its own. An unknown code shows the text as it came.
import { age } from "../../i18n/format";
import { language } from "../../i18n/lang.svelte";
import { m } from "../../i18n/paraglide/messages.js";

const WORDS: Record<string, () => string> = {
  waiting: m.reason_waiting,
  silence: m.reason_silence,
  unstable: m.reason_unstable,
  format: m.reason_format,
  drift: m.reason_drift,
  full: m.reason_full,
  empty: m.reason_empty,
  store: m.reason_store,
  transport: m.reason_transport,
  off: m.reason_off,
  dns: m.reason_dns,
  refused: m.reason_refused,
  network: m.reason_network,
  timeout: m.reason_timeout,
  tls: m.reason_tls,
  http: m.reason_http,
  size: m.reason_size,
  address: m.reason_address,
  broken: m.reason_broken,
  auth: m.reason_auth,
  listen: m.reason_listen,
  overflow: m.reason_overflow,
  file: m.reason_file,
  pages: m.reason_pages,
  incomplete: m.reason_incomplete,
};

/** Their text says no more than the code does. */
const PLAIN = new Set(["waiting", "off", "refused", "network", "broken"]);

export interface Reason {
  /** The stable word; empty: none that we know. */
  code: string;
  /** In the reader's language where the code is known, else as it came. */
  words: string;
  /** What the server adds, as it came; empty: nothing. */
  more: string;
}

const NONE: Reason = { code: "", words: "", more: "" };
const NESTED = /^(.*?)\s*\((\w+: .*)\)$/s;

/** Reads "code: text". indonesian is the text in Indonesian, where the server has it. */
export function reasonOf(reason: string, indonesian = ""): Reason {
  if (reason === "") return NONE;
  const found = /^([a-z_]+):\s*(.*)$/s.exec(reason);
  const [, code = "", rest = ""] = found ?? [];
  const words = Object.hasOwn(WORDS, code) ? WORDS[code]?.() : undefined;
  if (words === undefined) return { code: "", words: reason, more: "" };
  if (code === "unstable") {
    // It carries the fault that came before.
    const before = reasonOf(NESTED.exec(rest)?.[2] ?? "");
    return { code, words, more: line(before) };
  }
  if (code === "silence") return { code, words, more: silence(rest) };
  if (code === "dns")
    return { code, words, more: rest.replace(/^no such host /, "") };
  const said = indonesian && language.current === "id" ? indonesian : rest;
  return { code, words, more: PLAIN.has(code) ? "" : said };
}

/** "nothing for 3m12s, expected every 1m0s" in the reader's language. */
function silence(rest: string): string {
  const found = /^nothing for (\S+), expected every (\S+)$/.exec(rest);
  const [since, every] = [duration(found?.[1]), duration(found?.[2])];
  if (since === null || every === null) return rest;
  return m.reason_silence_more({ age: age(since), usual: age(every) });
}

const STEP: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/** A duration as Go writes it ("1h2m0.5s"), in milliseconds; null: it is none. */
export function duration(text: string | undefined): number | null {
  if (!text || !/^([\d.]+(h|ms|m|s))+$/.test(text)) return null;
  let sum = 0;
  for (const [, n = "", unit = ""] of text.matchAll(/([\d.]+)(h|ms|m|s)/g)) {
    sum += Number(n) * (STEP[unit] ?? 0);
  }
  return sum;
}

/** A reason in one line. */
export const line = ({ words, more }: Reason): string =>
  [words, more].filter(Boolean).join(": ");

/** Why items were refused: the stable part of a format's own words; what is beyond the twenty most frequent is counted as "other". */
export const rejectWords = (reason: string): string =>
  reason === "other" ? m.reject_other() : reason;
