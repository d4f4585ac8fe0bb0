import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import {
  ask,
  called,
  check,
  PHONE,
  until,
  visit,
  type House,
  type Spec,
} from "./house";

/** What a spreadsheet would take for a formula. */
const FORMULA = '=HYPERLINK("http://evil.example","menelepon kembali")';

/** A call with a name, which somebody has then looked at; their id. */
async function looked(house: House): Promise<string> {
  const id = await called(house);
  await ask(
    house,
    "POST",
    `/reports/${encodeURIComponent(id)}/reporter/reveal`,
    { reason: FORMULA },
  );
  return id;
}

const rows = (page: Page) => page.locator('[data-testid="acts"] > li');

/** Asks for what the fields say, and waits until that many records stand there. */
async function seek(page: Page, fields: Record<string, string>, n: number) {
  for (const [name, value] of Object.entries(fields))
    await page.getByTestId(`by-${name}`).fill(value);
  await page.getByTestId("seek").click();
  await until(
    async () => (await rows(page).count()) === n,
    `not ${String(n)} records of ${JSON.stringify(fields)}: ${await page.getByTestId("audit").innerText()}`,
  );
}

/** The text of what a link gives to keep. */
async function kept(page: Page, link: string): Promise<string> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByTestId(link).click(),
  ]);
  return readFile(await file.path(), "utf8");
}

const spec: Spec = {
  async "the log is searched, filtered, taken away both ways, and says who saw whom"(
    house,
  ) {
    const mine = await looked(house);
    const other = await looked(house);
    const visited = await visit(house, "/admin?page=audit&lang=en");
    const { page } = visited;
    await page.getByTestId("acts").waitFor();

    await seek(page, { object: `report:${mine}` }, await actsOf(house, mine));
    for (const text of await rows(page).allInnerTexts())
      check(text.includes(mine), `another's record is there: ${text}`);
    await seek(
      page,
      { object: `report:${mine}`, action: "reporter.revealed" },
      1,
    );
    check(
      (await rows(page).innerText()).includes(FORMULA),
      "the reason is not as it was said",
    );
    await page.reload(); // what was asked for is in the address
    await until(
      async () => (await rows(page).count()) === 1,
      "the search is lost with the page",
    );

    const csv = await kept(page, "export-csv");
    const lines = csv.trim().split("\n");
    check(
      lines.length === 2 && csv.includes(`report:${mine}`),
      `the sheet is of another search: ${csv}`,
    );
    check(
      csv.includes(`"'=HYPERLINK(`) && !/(^|[,"])=HYPERLINK/m.test(csv),
      `a formula is in the sheet: ${csv}`,
    );
    // The export ends with the last checkpoint, which the view may still await.
    // It is asked for until then without a browser: one that keeps a hundred files in a row asks its user first.
    await until(
      async () => {
        const answer = await page.request.get(
          `${house.base}/api/v1/audit/export.jsonl`,
        );
        if ((await answer.text()).includes("reporter.revealed")) return true;
        await page.waitForTimeout(1_000);
        return false;
      },
      "the view is not in the export",
      30_000,
    );
    const whole = await kept(page, "export-json");
    const records = whole.trim().split("\n");
    check(
      records.every((line) => typeof JSON.parse(line) === "object"),
      "a line of the export is no JSON",
    );
    check(!whole.includes("Aminah"), "the export names whoever called");

    await page.getByTestId("part-seen").click();
    await seek(page, { object: `report:${mine}` }, 1);
    check(
      !(await page.getByTestId("acts").innerText()).includes(other),
      "views of another person are there",
    );
    await rows(page).locator('[data-testid^="open-"]').click();
    await until(
      async () => {
        await page.getByTestId("prove").click();
        return page
          .locator('[data-testid="outcome"][data-proven="true"]')
          .isVisible();
      },
      "the view is not proved from the log",
      30_000,
    );
    await seek(page, { object: "", words: "menelepon" }, 2);
    await seek(page, { words: "nobody said this" }, 0);
    check(visited.faults.length === 0, visited.faults.join("\n"));
    check(visited.strangers.length === 0, visited.strangers.join("\n"));
    await visited.close();
  },

  async "a citizen proves the acts of a ticket, and sees no others"(house) {
    const mine = await looked(house);
    const other = await looked(house);
    const { ticket } = await ask<{ ticket: string }>(
      house,
      "POST",
      `/reports/${encodeURIComponent(mine)}/ticket`,
    );
    const context = await house.browser.newContext({ viewport: PHONE });
    const page = await context.newPage();
    await page.goto(
      `${house.base}/public?lang=en&ticket=${ticket.toLowerCase()}`,
    );
    await until(
      async () => {
        await page.reload(); // what is younger than the last checkpoint is asked for again
        await page.getByTestId("ticket-proofs").waitFor();
        return page
          .getByTestId("ticket-proven")
          .waitFor({ timeout: 2000 })
          .then(
            () => true,
            () => false,
          );
      },
      "the ticket is not proved from the log",
      40_000,
    );
    const proofs = page.locator('[data-testid^="proof-"]');
    const n = await proofs.count();
    check(
      n > 0 &&
        n === (await proofs.and(page.locator('[data-proven="true"]')).count()),
      `not every act is proved: ${await page.getByTestId("ticket-proofs").innerText()}`,
    );
    const text = await page.getByTestId("public").innerText();
    check(
      !text.includes(other) && !text.includes("Aminah"),
      `it tells of others: ${text}`,
    );
    await context.close();
  },
};

/** How many records the log has about a report. */
async function actsOf(house: House, report: string): Promise<number> {
  const { items } = await ask<{ items: unknown[] }>(
    house,
    "GET",
    `/audit?object=${encodeURIComponent(`report:${report}`)}`,
  );
  return items.length;
}

export default spec;
