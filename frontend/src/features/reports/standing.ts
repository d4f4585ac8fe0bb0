// Which reports a screen lists, and how it calls them.
import { instant } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import type { Report } from "../../wire/wire";

const DAY_MS = 86_400_000;

/** Open reports of the last day, the newest received first; now is 0 before the server has said the time. */
export function standing(reports: readonly Report[], now: number): Report[] {
  // The house writes instants so that their letters are in the order of time.
  const at = (r: Report) => r.received_at ?? "";
  return reports
    .filter(
      (r) =>
        r.status !== "closed" && now - (instant(r.received_at) ?? 0) < DAY_MS,
    )
    .sort((a, b) =>
      at(a) === at(b) ? (a.id < b.id ? 1 : -1) : at(a) < at(b) ? 1 : -1,
    );
}

const CHANNELS: Record<string, () => string> = {
  call: m.channel_call,
  chat: m.channel_chat,
  radio: m.channel_radio,
  app: m.channel_app,
  open311: m.channel_open311,
};

/** How it reached us; a channel of a feed's own goes by its own word. */
export function channelWord(channel: string): string {
  return CHANNELS[channel]?.() ?? channel;
}

/** Where, in words: the address, else the area, else that nobody said. */
export function whereWord(report: Report): string {
  if (report.address) return report.address;
  if (report.area_name) return report.area_name;
  return report.lng === null ? m.report_unplaced() : "";
}

/** By what it came. */
export function sourceWord(report: Report): string {
  return report.feed === "desk"
    ? m.report_entered()
    : m.report_by({ source: report.feed });
}
