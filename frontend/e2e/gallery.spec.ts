// The gallery: everything in every state keeps its layout, is read by everybody, and looks as it looked.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { difference, golden, hasGoldens, majorOf, renews } from "./golden";
import { check, visit, type House, type Spec } from "./house";
import { faultsOf, wider } from "./layout";

const SECTIONS = [
  "severity",
  "incidents",
  "levels",
  "wall",
  "alarms",
  "extremes",
  "parts",
];
const LIGHT = "desk-light";
/** A row of others' words is never higher, CSS pixels; sections are for reading and may be. */
const ROW_PX = 180;

/** What is compared as a picture: small, of letters of our own only. */
const GOLDENS = [
  ["severity", "severity-wall"],
  ["severity", "severity-desk"],
  ["incidents", "list"],
  ["incidents", "focus-new"],
  ["incidents", "rows"],
  ["incidents", "marks-together"],
  ["levels", "level-wall"],
  ["wall", "header-level"],
  ["wall", "lost-banner"],
  ["alarms", "alarm-raised"],
] as const;

async function look(
  page: Page,
  house: House,
  section: string,
  { theme = "desk-dark", lang = "id", more = "" } = {},
): Promise<void> {
  await page.addInitScript((kept) => {
    localStorage.setItem("kentongan.theme", kept);
  }, theme);
  await page.goto(
    `${house.base}/admin/gallery?only=${section}&lang=${lang}&motion=off${more}`,
  );
  await page.getByTestId(`specimens-${section}`).waitFor({ timeout: 20_000 });
  await page.evaluate(() => document.fonts.ready);
}

const spec: Spec = {
  async "every component keeps its layout in every state, theme, language and width"(
    house,
  ) {
    const seen = await visit(house, "/admin/gallery?only=none");
    const { page } = seen;
    await page.getByRole("alert").waitFor();
    const faults = new Set<string>();
    let specimens = 0;
    for (const width of [390, 1280, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      for (const section of SECTIONS) {
        for (const lang of ["id", "en"]) {
          const theme = lang === "id" ? "desk-dark" : LIGHT;
          await look(page, house, section, { theme, lang });
          specimens += await page.locator("[data-stage]").count();
          // A mark stands where its incident is; the row beside the map does the same. The load's figure stays; beside a long warning its unit goes as a whole.
          const found = await faultsOf(page, {
            roots: "[data-stage]",
            cut: ".load, .name > .agency",
            small: ".marks",
          });
          for (const f of found) faults.add(`${width} ${lang} ${f}`);
          const more = await wider(page);
          if (more > 0)
            faults.add(`${width} ${section}: the page is ${more} px too wide`);
        }
      }
    }
    check(specimens > 600, `only ${specimens} pieces were looked at`);
    check(faults.size === 0, [...faults].join("\n"));
    check(seen.faults.length === 0, seen.faults.join("\n"));
    check(seen.strangers.length === 0, seen.strangers.join("\n"));
    await seen.close();
  },

  async "words of 10,000 characters leave rows as high as a row"(house) {
    const seen = await visit(house, "/admin/gallery?only=none");
    await look(seen.page, house, "extremes");
    const high = await seen.page
      .locator('[data-stage] li, [data-stage^="extreme-alarm-"] .face')
      .evaluateAll((rows) =>
        rows.map((r) => [
          r.closest("[data-stage]")?.getAttribute("data-stage"),
          Math.round(r.getBoundingClientRect().height),
        ]),
      );
    check(high.length > 30, `only ${high.length} rows were looked at`);
    const over = high.filter(([, px]) => Number(px) > ROW_PX);
    check(over.length === 0, over.join("\n"));
    await seen.close();
  },

  async "axe finds nothing serious in any section, in both themes and languages"(
    house,
  ) {
    const seen = await visit(house, "/admin/gallery?only=none");
    const found: string[] = [];
    for (const section of SECTIONS) {
      for (const [theme, lang] of [
        ["desk-dark", "id"],
        [LIGHT, "en"],
      ] as const) {
        await look(seen.page, house, section, { theme, lang });
        // axe takes the halo under the legend's letters for the letters; their contrast is measured above.
        const { violations } = await new AxeBuilder({ page: seen.page })
          .exclude('[data-stage="legend"]')
          .analyze();
        for (const v of violations)
          if (v.impact === "serious" || v.impact === "critical")
            found.push(
              `${section} ${theme}: ${v.id}: ${v.nodes
                .slice(0, 4)
                .map((n) => n.html.slice(0, 200))
                .join("\n  ")}`,
            );
      }
    }
    check(found.length === 0, found.join("\n"));
    await seen.close();
  },

  async "colour vision, text size and dialogs are there for whoever looks"(
    house,
  ) {
    const seen = await visit(house, "/admin/gallery?only=none");
    const { page } = seen;
    const shot = async (more: string) => {
      await look(page, house, "severity", { more });
      return page.getByTestId("specimen-severity-wall").screenshot();
    };
    const plain = await shot("");
    for (const sight of ["protan", "deutan", "tritan", "grey"]) {
      const other = await shot(`&sight=${sight}`);
      const share = await difference(house.browser, plain, other);
      check(share > 0.005, `${sight} looks as all colours do: ${share}`);
    }
    await look(page, house, "parts", { more: "&scale=2" });
    const twice = await faultsOf(page, { roots: ".stage.desk" });
    check(twice.length === 0, `at twice the size:\n${twice.join("\n")}`);
    await look(page, house, "alarms");
    await page.getByTestId("open-shelve").click();
    await page.getByTestId("shelve").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("shelve").waitFor({ state: "detached" });
    check(seen.faults.length === 0, seen.faults.join("\n"));
    await seen.close();
  },

  async "looks as its pictures do"(house) {
    const { browser } = house;
    if (!renews && !hasGoldens(browser)) {
      console.log(
        `     no pictures of Chromium ${majorOf(browser)}: layout alone was tested (make goldens takes them)`,
      );
      return;
    }
    const seen = await visit(house, "/admin/gallery?only=none");
    const { page } = seen;
    const found: string[] = [];
    for (const theme of ["desk-dark", LIGHT]) {
      for (const [section, name] of GOLDENS) {
        const stage = page.locator(`[data-stage="${name}"]`);
        await look(page, house, section, { theme });
        // A wall has one theme; of a long list the dark one is enough.
        const one = name === "rows" || (await stage.getAttribute("data-theme"));
        if (theme === LIGHT && one) continue;
        const fault = await golden(
          browser,
          theme === LIGHT ? `${name}-light` : name,
          stage,
        );
        if (fault) found.push(fault);
      }
    }
    check(found.length === 0, found.join("\n"));
    await seen.close();
  },
};

export default spec;
