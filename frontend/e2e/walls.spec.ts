// Walls as a fleet: let in by the code they show, named, steered from the desk in one step, heard of by whoever looks after them.
import type { BrowserContext, Page } from "playwright-core";
import { ask, check, live, until, visit, type House, type Spec } from "./house";

const STEP_MS = 250;
/** A wall reports within four seconds of its opening; the page asks each five. */
const REPORT_MS = 20_000;
const TOUR = ["flood", "quake"];
/** The least that the house takes. */
const DWELL_S = 5;

interface Screen {
  page: Page;
  context: BrowserContext;
}

/** A strange screen shows its code, and whoever looks after walls types it in their page. */
async function letIn(house: House, admin: Page, name: string): Promise<Screen> {
  const context = await house.browser.newContext({
    viewport: { width: 1280, height: 720 },
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  context.setDefaultTimeout(30_000);
  await page.goto(`${house.base}/login`);
  const ways = page.locator("details", { has: page.getByTestId("to-wall") });
  if ((await ways.getAttribute("open")) === null)
    await ways.locator("summary").click();
  await page.getByTestId("to-wall").click();
  const code = (await page.getByTestId("device-code").innerText()).trim();
  await admin.getByTestId("by-code").click();
  await admin.getByTestId("device-code").fill(code.toLowerCase());
  await admin.getByTestId("device-name").fill(name);
  await admin.getByTestId("let-device").click();
  await page.waitForURL(/\/wall\?screen=/, { waitUntil: "commit" });
  await admin.getByTestId(`wall-${name}`).waitFor();
  return { page, context };
}

/** Notes at which time a wall's scene becomes another. */
const noteScene = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((done) => {
        const wall = document.querySelector("[data-scene]");
        const was = wall?.getAttribute("data-scene");
        new MutationObserver((_, watching) => {
          if (wall?.getAttribute("data-scene") === was) return;
          watching.disconnect();
          done(Date.now());
        }).observe(document.body, {
          subtree: true,
          attributes: true,
          attributeFilter: ["data-scene"],
        });
      }),
  );

const specs: Spec = {
  async "walls are let in by code, named, heard of, and steered in step"(
    house,
  ) {
    const admin = await visit(house, "/admin?page=walls&lang=en");
    await admin.page.getByTestId("walls").waitFor();
    const screens = [
      await letIn(house, admin.page, "Utara"),
      await letIn(house, admin.page, "Selatan"),
    ];
    for (const { page } of screens)
      await page.locator("[data-scene=normal]").waitFor();
    const row = admin.page.getByTestId("wall-Utara");
    await until(
      async () => (await row.getAttribute("data-stand")) === "ok",
      "the wall's report does not stand in its page",
      REPORT_MS,
    );
    check(
      (await row.getByTestId("wall-report").innerText()).includes("1280 × 720"),
      "the report tells the resolution",
    );
    await admin.page.getByTestId("set-Utara").click();
    await admin.page.getByTestId("wall-place").fill("Ruang operasi");
    await admin.page.getByTestId("wall-save").click();
    await row.getByText("Ruang operasi").waitFor();

    const desk = await visit(house, "/console?lang=en");
    await desk.page.getByTestId("steer").waitFor();
    // Where the dialog does not come it is said, and the next press asks again.
    const chunk = /\/SteerDialog[^/]*\.js/;
    await desk.page.route(chunk, (r) => r.abort());
    await desk.page.locator("body").press("w");
    await desk.page.getByTestId("unloaded").waitFor();
    await desk.page.keyboard.press("Escape");
    await desk.page.getByTestId("unloaded").waitFor({ state: "detached" });
    await desk.page.unroute(chunk);
    desk.faults.splice(0);
    await desk.page.locator("body").press("w");
    const dialog = desk.page.getByTestId("steer-dialog");
    await until(
      () =>
        desk.page.evaluate(
          () => document.activeElement?.hasAttribute("data-first") === true,
        ),
      "the first wall has the focus",
    );
    check(
      (
        await dialog
          .getByTestId("steer-Utara")
          .getByTestId("steer-shows")
          .innerText()
      ).startsWith("Shows Normal"),
      "the dialog tells what is shown, with its age",
    );
    await dialog.getByTestId("steer-all").check();
    await dialog.getByTestId("steer-scene-briefing").locator("input").check();
    const changes = screens.map(({ page }) => noteScene(page));
    await dialog.getByTestId("steer-hold").selectOption("15");
    await dialog.getByTestId("steer-send").click();
    const [one = 0, two = 0] = await Promise.all(changes);
    console.log(`two walls change ${Math.abs(one - two)} ms from one another`);
    check(
      Math.abs(one - two) <= STEP_MS,
      `the walls change ${Math.abs(one - two)} ms from one another`,
    );
    await dialog
      .getByTestId("steer-Utara")
      .getByText(/Held by/)
      .waitFor();
    await dialog.getByTestId("steer-let-go").click();
    await dialog
      .getByTestId("steer-Utara")
      .getByText(/Held by/)
      .waitFor({ state: "detached" });
    await desk.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    for (const v of [admin, desk])
      check(v.faults.length === 0, v.faults.join("\n"));
    for (const { context } of screens) await context.close();
    await admin.close();
    await desk.close();
  },

  async "a wall that is taken back stands apart, and its screen is let in anew under its old name"(
    house,
  ) {
    const admin = await visit(house, "/admin?page=walls&lang=id");
    const { page } = admin;
    const first = await letIn(house, page, "Lobi");
    await page.getByTestId("take-back").click();
    await page.getByTestId("remove-Lobi").click();
    await page.getByTestId("remove-yes").click();
    await page
      .locator('[data-testid="device-Lobi"][data-state="removed"]')
      .waitFor();
    await first.page.waitForURL(/\/login/, { waitUntil: "commit" });
    await page.getByTestId("page-walls").click();
    await page
      .getByTestId("walls-gone")
      .getByText("Lobi", { exact: true })
      .waitFor();
    check(
      (await page.getByTestId("wall-Lobi").count()) === 0,
      "a wall that was taken back stands among those that are known",
    );
    const again = await letIn(house, page, "Lobi");
    await again.page.locator("[data-scene]").waitFor();
    check(
      (await page
        .getByTestId("walls-gone")
        .getByText("Lobi", { exact: true })
        .count()) === 1,
      "what was taken back is forgotten at once",
    );
    check(admin.faults.length === 0, admin.faults.join("\n"));
    for (const { context } of [first, again]) await context.close();
    await admin.close();
  },

  async "a tour stops at what shows a new Extreme, and goes on when somebody has it"(
    house,
  ) {
    const visited = await visit(house, "/login");
    const { page } = visited;
    // A person's window, told by the house that it tours.
    await page.route("**/api/v1/walls/me*", async (route) => {
      const answer = await route.fetch();
      const wall = (await answer.json()) as Record<string, unknown>;
      await route.fulfill({
        response: answer,
        json: { ...wall, tour: TOUR, dwell_s: DWELL_S },
      });
    });
    await page.goto(`${house.base}/wall?motion=off`);
    await live(page);
    const scene = () =>
      page.getByTestId("wall").getAttribute("data-scene") as Promise<string>;
    const seen = new Set<string>();
    await until(
      async () => seen.add(await scene()).size === TOUR.length,
      `the wall does not tour: ${[...seen].join(" ")}`,
      4 * DWELL_S * 1_000,
    );
    // Raised where the scene at hand does not show it.
    await until(
      async () => (await scene()) === "quake",
      "the scene of quakes does not come again",
      4 * DWELL_S * 1_000,
    );
    const made = await ask(house, "POST", "/incidents", {
      type: "flood",
      severity: "Extreme",
      title: "Banjir, Pasar Sumani",
      lng: 100.62,
      lat: -0.72,
    });
    const { id, number, version } = (made["incident"] ?? made) as {
      id: string;
      number: string;
      version: number;
    };
    await page.getByTestId(`mark-${number}`).waitFor({ timeout: 20_000 });
    check((await scene()) === "flood", "the scene that shows it stands");
    await page
      .getByTestId("focus")
      .getByText("Pasar Sumani")
      .first()
      .waitFor({ timeout: 10_000 });
    const left = await page.evaluate(
      (ms) =>
        new Promise<boolean>((done) => {
          const wall = document.querySelector("[data-scene]");
          const watching = new MutationObserver(() => {
            if (wall?.getAttribute("data-scene") !== "flood") done(true);
          });
          watching.observe(document.body, {
            subtree: true,
            attributeFilter: ["data-scene"],
          });
          setTimeout(() => {
            done(false);
          }, ms);
        }),
      2.2 * DWELL_S * 1_000,
    );
    check(!left, "the tour stands still while nobody has the Extreme");
    await ask(house, "POST", `/incidents/${id}/transitions`, {
      to: "acknowledged",
      version,
    });
    await until(
      async () => (await scene()) === "quake",
      "the tour does not go on",
      4 * DWELL_S * 1_000,
    );
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },
};

export default specs;
