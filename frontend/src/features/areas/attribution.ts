// Whose data this is: always visible. The sources' own words come from the server and are shown as they are.
import { m } from "../../i18n/paraglide/messages.js";
import type { Room } from "../../stores/room.svelte";

export function attributionLine(room: Room): string {
  const boundary = room.profile?.attribution ?? "";
  const sources = new Set<string>();
  for (const feed of room.feeds.all) {
    if (feed.attribution) sources.add(feed.attribution);
  }
  for (const alert of room.alerts.all) {
    if (alert.attribution) sources.add(alert.attribution);
  }
  const lead = boundary.toLowerCase().includes("indikatif")
    ? boundary
    : [m.attribution_boundary(), boundary].filter(Boolean).join(": ");
  return [
    lead,
    m.attribution_coast(),
    room.profile?.basemap.attribution ?? "",
    ...sources,
  ]
    .filter(Boolean)
    .map((part) => part.replace(/\.\s*$/, ""))
    .join(". ");
}
