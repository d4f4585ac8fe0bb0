// The only place that registers the `default` Trusted Types policy. Import it before anything else in every page.
// Under `require-trusted-types-for 'script'` a library's own innerHTML or Worker address passes through here.

interface PolicyRules {
  createHTML: (html: string) => string;
  createScriptURL: (url: string) => string;
}

interface PolicyFactory {
  createPolicy: (name: string, rules: PolicyRules) => unknown;
}

const LINK = /<a\s+href="(https:\/\/[^"<>\s]+)"[^>]*>([^<]*)<\/a>/g;

/** Reduces markup to text and plain https links: all that a map attribution needs. */
export function reduceHTML(html: string): string {
  const escape = (text: string) =>
    text.replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  let out = "";
  let end = 0;
  for (const link of html.matchAll(LINK)) {
    out += escape(html.slice(end, link.index));
    out += `<a href="${link[1] ?? ""}" rel="noreferrer">${escape(link[2] ?? "")}</a>`;
    end = link.index + link[0].length;
  }
  return out + escape(html.slice(end));
}

/** Lets a script or worker address pass only where it is of the given origin; throws otherwise. */
export function ownScript(url: string, base: string): string {
  const resolved = new URL(url, base);
  if (resolved.origin !== new URL(base).origin) {
    throw new TypeError(`script of a foreign origin refused: ${resolved.host}`);
  }
  return resolved.href;
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
factory?.createPolicy("default", {
  createHTML: reduceHTML,
  createScriptURL: (url) => ownScript(url, location.href),
});
