// The morning's page and the sheet of paper, on the real binary: figures open their incidents, and both are printed.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { check, visit, type House, type Spec } from "./house";

const TIMEOUT_MS = 20_000;
const DAY_MS = 86_400_000;

/** Opens an incident by hand, so that there is something to count. */
async function incident(house: House): Promise<void> {
  const answer = await fetch(`${house.base}/api/v1/incidents`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${house.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ type: "flood", lng: 100.63, lat: -0.83 }),
  });
  check(answer.status === 201, `an incident is opened: ${answer.status}`);
}

const upToNow = () => {
  const now = Date.now();
  const iso = (ms: number) => new Date(ms).toISOString();
  return `from=${iso(now - DAY_MS)}&to=${iso(now)}`;
};

async function read(page: Page): Promise<void> {
  await page.getByTestId("sources").waitFor({ timeout: TIMEOUT_MS });
}

/** How many sheets a page takes. */
async function sheets(page: Page): Promise<number> {
  const pdf = await page.pdf({ preferCSSPageSize: true });
  return (pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g) ?? []).length;
}

const spec: Spec = {
  "a figure opens exactly the incidents that it counts": async (house) => {
    await incident(house);
    const { page, close } = await visit(
      house,
      `/briefing?lang=en&theme=light&${upToNow()}`,
    );
    try {
      await read(page);
      const figure = page.getByTestId("tiles").getByRole("button").first();
      const counted = Number(await figure.innerText());
      check(counted > 0, `incidents are counted: ${counted}`);
      await figure.click();
      const list = page.getByTestId("records");
      await list.getByRole("listitem").first().waitFor({ timeout: TIMEOUT_MS });
      while (await list.getByRole("button", { name: "Show more" }).count())
        await list.getByRole("button", { name: "Show more" }).click();
      const listed = await list.getByRole("listitem").count();
      check(listed === counted, `${counted} counted, ${listed} listed`);
      check(
        new URL(page.url()).searchParams.get("records") !== null,
        "the list stands in the address",
      );
      await page.keyboard.press("Escape");
      await list.waitFor({ state: "detached", timeout: TIMEOUT_MS });
    } finally {
      await close();
    }
  },

  "it is one sheet of A4 in both languages, and fits a telephone": async (
    house,
  ) => {
    const { page, close } = await visit(house, "/briefing?lang=id");
    try {
      for (const lang of ["id", "en"]) {
        await page.goto(`${house.base}/briefing?lang=${lang}&${upToNow()}`);
        await read(page);
        const n = await sheets(page);
        check(n === 1, `${lang}: ${n} sheets`);
      }
      for (const theme of ["light", "dark"]) {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.goto(
          `${house.base}/briefing?lang=id&theme=${theme}&${upToNow()}`,
        );
        await read(page);
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth,
        );
        check(wide <= 390, `${theme}: ${wide} wide on a telephone`);
        const { violations } = await new AxeBuilder({ page }).analyze();
        check(
          violations.length === 0,
          `${theme}: ${violations.map((v) => `${v.id} ${v.nodes[0]?.html ?? ""}`).join("; ")}`,
        );
      }
    } finally {
      await close();
    }
  },

  "a desk that has lost the house still prints what it knew": async (house) => {
    await incident(house);
    const { page, close } = await visit(house, "/console?lang=en&motion=off");
    try {
      await page.getByTestId("clock").waitFor({ timeout: TIMEOUT_MS });
      await page.waitForFunction(
        () => document.querySelectorAll("[data-id]").length > 0,
        null,
        { timeout: TIMEOUT_MS },
      );
      await page.waitForLoadState("networkidle", { timeout: TIMEOUT_MS });
      await page.context().setOffline(true);
      await page.evaluate(() => {
        window.print = () => window.dispatchEvent(new Event("beforeprint"));
      });
      await page.keyboard.press("c");
      const paper = page.getByTestId("paper");
      await paper.waitFor({ state: "attached", timeout: TIMEOUT_MS });
      const text = await paper.evaluate((sheet) => sheet.textContent);
      check(/Open incidents \([1-9]/.test(text), text.slice(0, 200));
      check((await sheets(page)) >= 1, "it is printed");
    } finally {
      await close();
    }
  },
};

export default spec;
