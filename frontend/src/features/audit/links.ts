// The screen of what an act is about, where there is one.

const ADMIN: Record<string, string> = {
  person: "people",
  rule: "rules",
  key: "keys",
  device: "devices",
  change: "changes",
  contact: "contacts",
};

/** A path, or nothing. `object` is incident:01J…, feed:bmkg … */
export function linkOf(object: string): string {
  const cut = object.indexOf(":");
  const [noun, id] = [object.slice(0, cut), object.slice(cut + 1)];
  if (cut < 1 || id === "") return "";
  const q = (of: Record<string, string>) => new URLSearchParams(of).toString();
  if (noun === "incident" || noun === "alarm")
    return `/console?${q({ [noun]: id })}`;
  if (noun === "feed") return `/admin?${q({ feed: id })}`;
  const page = ADMIN[noun];
  return page ? `/admin?${q({ page, one: id })}` : "";
}
