// Every page in its states, both languages and both themes: axe finds nothing serious, the whole policy holds without a report, and nothing
// comes from another host.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { check, flooded, live, visit, type Spec } from "./house";

/** FAULTS.md, section 5, each directive whole. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  // Beside that section: what a camera shows is put together in the page.
  "media-src 'self' blob:",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types default svelte-trusted-html",
];
const TIMEOUT_MS = 20_000;
const LNG = 100.63;
const LAT = -0.83;

const by = (id: string) => (page: Page) =>
  page.getByTestId(id).first().waitFor({ timeout: TIMEOUT_MS });

const pressed =
  (key: string, then: (page: Page) => Promise<unknown>) =>
  async (page: Page) => {
    await live(page);
    await page.keyboard.press(key);
    await then(page);
  };

interface State {
  path: string;
  ready: (page: Page) => Promise<unknown>;
}

const admin = [
  "feeds",
  "try",
  "rules",
  "keys",
  "people",
  "changes",
  "devices",
  "privacy",
  "audit",
  "contacts",
].map((page) => ({
  path: `/admin?page=${page}`,
  ready: async (seen: Page) => {
    await by("admin")(seen);
    await seen
      .locator(`[data-testid="page-${page}"][aria-current="page"]`)
      .waitFor({ timeout: TIMEOUT_MS });
    await seen.waitForTimeout(500); // what it reads of the house comes a moment later
  },
}));

const states: readonly State[] = [
  { path: "/wall?motion=off", ready: live },
  { path: "/wall?motion=off&kiosk=1", ready: live },
  { path: "/console?motion=off", ready: pressed("1", by("rows")) },
  { path: "/console?motion=off&a=1", ready: pressed("n", by("new-form")) },
  { path: "/console?motion=off&a=2", ready: pressed("?", by("help")) },
  { path: "/console?motion=off&a=3", ready: pressed("h", by("alarm-health")) },
  { path: "/briefing", ready: (page) => page.locator("main").waitFor() },
  { path: "/public", ready: by("public") },
  {
    path: "/login",
    ready: (page) => page.locator("main, form").first().waitFor(),
  },
  { path: "/field", ready: (page) => page.locator(".field").waitFor() },
  { path: "/admin/gallery?only=severity", ready: by("specimens-severity") },
  ...admin,
];

const spec: Spec = {
  async "axe finds nothing serious, the policy is whole and reports nothing, and no page asks another host"(
    house,
  ) {
    await flooded(house, { lng: LNG, lat: LAT });
    const found: string[] = [];
    for (const [theme, lang] of [
      ["dark", "id"],
      ["light", "en"],
    ] as const) {
      const seen = await visit(house, "/login");
      const { page } = seen;
      await page.addInitScript((kept) => {
        localStorage.setItem("kentongan.theme", kept);
      }, `desk-${theme}`);
      for (const { path, ready } of states) {
        const where = `${path} ${theme} ${lang}`;
        const answer = await page.goto(
          `${house.base}${path}${path.includes("?") ? "&" : "?"}lang=${lang}&theme=${theme}`,
        );
        const policy = answer?.headers()["content-security-policy"] ?? "";
        const said = policy.split(";").map((d) => d.trim());
        for (const d of POLICY)
          if (!said.includes(d)) found.push(`${where}: the policy lacks ${d}`);
        if (said.length !== POLICY.length)
          found.push(`${where}: the policy says more: ${policy}`);
        try {
          await ready(page);
        } catch (fault) {
          found.push(`${where}: ${String(fault).slice(0, 160)}`);
          continue;
        }
        const { violations } = await new AxeBuilder({ page }).analyze();
        for (const v of violations)
          if (v.impact === "serious" || v.impact === "critical")
            found.push(
              `${where}: ${v.id}: ${v.nodes
                .slice(0, 3)
                .map((n) => n.html.slice(0, 160))
                .join("\n  ")}`,
            );
      }
      found.push(...seen.faults.map((f) => `${theme} ${lang}: ${f}`));
      found.push(...seen.strangers.map((url) => `asked another host: ${url}`));
      await seen.close();
    }
    check(found.length === 0, found.join("\n"));
  },

  async "a picture of another host is refused and told, so that the silence above means something"(
    house,
  ) {
    const seen = await visit(house, "/public");
    await by("public")(seen.page);
    await seen.page.evaluate(() => {
      const image = document.createElement("img");
      image.src = "https://example.invalid/x.png";
      document.body.append(image);
    });
    await seen.page.waitForFunction(
      () => document.querySelector('img[src*="example.invalid"]') !== null,
    );
    const end = Date.now() + 5_000;
    while (seen.faults.length === 0 && Date.now() < end)
      await seen.page.waitForTimeout(50);
    check(
      seen.faults.some((f) => f.includes("img-src")),
      `nothing was told: ${seen.faults.join(" ")}`,
    );
    await seen.close();
  },
};

export default spec;
