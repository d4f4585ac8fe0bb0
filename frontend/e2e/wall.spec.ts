import { AxeBuilder } from "@axe-core/playwright";
import { check, live, push, reading, visit, type Spec } from "./house";

const GALODO = {
  thing: "galodo-1",
  property: "debris_flow",
  value: 1,
  lng: 100.66,
  lat: -0.862,
};
const LONG = `AWLR ${"Batang Lembang ".repeat(12)}\u202eإنذار`;

const spec: Spec = {
  async "shows an incident that was pushed by HTTP, to everyone who looks"(
    house,
  ) {
    const visited = await visit(house, "/wall");
    const { page } = visited;
    await live(page);
    const before = Number(
      (await page.getByTestId("count-Extreme").innerText()).replace(
        /\D/g,
        "",
      ) || "0",
    );
    await push(house, "awlr", [
      reading({ ...GALODO, thing: `galodo-${Date.now()}` }),
    ]);
    const focus = page.getByTestId("focus");
    await focus.getByText("Galodo").first().waitFor({ timeout: 10_000 });
    const mark = page.locator('[data-testid^="mark-SLK-"]').first();
    await mark.waitFor({ timeout: 20_000 });
    await mark.focus();
    check(
      ((await mark.textContent()) ?? "").includes("Galodo"),
      "the mark on the map is a button that says what it is",
    );
    const after = Number(
      (await page.getByTestId("count-Extreme").innerText()).replace(/\D/g, ""),
    );
    check(
      after >= Math.max(1, before),
      `Extreme counted: ${before} then ${after}`,
    );
    await visited.close();
  },

  async "looks lost when the socket is gone and recovers without a gap"(house) {
    const visited = await visit(house, "/wall");
    const { page } = visited;
    await live(page);
    const since = Date.now();
    // The network is cut for the page alone; HTTP stays, so that the incident can come meanwhile.
    let cut = true;
    await page.routeWebSocket(/\/api\/v1\/live/, (ws) => {
      if (cut) void ws.close({ code: 1001 });
      else ws.connectToServer();
    });
    await page.reload();
    const lost = page.getByTestId("lost");
    await lost.waitFor({ timeout: 15_000 });
    check(Date.now() - since < 15_000, "lost was shown in time");
    check(
      (await lost.innerText()).includes("KONEKSI TERPUTUS"),
      "the banner says what happened",
    );
    check(
      (await page.getByTestId("clock").count()) === 0,
      "the server's clock is gone while nobody hears the server",
    );
    await push(house, "awlr", [
      reading({
        thing: `lembang-${since}`,
        property: "water_level",
        value: 3.4,
        lng: 100.75,
        lat: -1.05,
      }),
    ]);
    cut = false;
    await live(page);
    await lost.waitFor({ state: "detached", timeout: 15_000 });
    await page
      .getByText("Muka air tinggi")
      .first()
      .waitFor({ timeout: 10_000 });
    await visited.close();
  },

  async "draws a silent feed as stale, with its age"(house) {
    await push(house, "hujan", [
      reading({
        thing: "hujan-1",
        property: "rain",
        value: 2,
        lng: 100.8,
        lat: -0.9,
      }),
    ]);
    const visited = await visit(house, "/wall");
    await live(visited.page);
    const stale = visited.page.getByTestId("stale-source");
    // Its interval is 2 s: late after 2 x 1.2 + 2.
    await stale.waitFor({ timeout: 20_000 });
    await visited.page
      .getByTestId("sources")
      .getByText(/\d+ dari \d+ segar/)
      .waitFor({ timeout: 5_000 });
    await visited.close();
  },

  async "speaks Indonesian and English, by address, control and key"(house) {
    const visited = await visit(house, "/wall?lang=en");
    const { page } = visited;
    await live(page);
    await page.getByText("Open incidents").first().waitFor();
    check(
      (await page.locator("html").getAttribute("lang")) === "en",
      "lang is en",
    );
    await page.getByTestId("language").click();
    await page.getByText("Insiden terbuka").first().waitFor();
    await page.keyboard.press("b");
    await page.getByText("Open incidents").first().waitFor();
    const clock = await page.getByTestId("clock").innerText();
    check(/\d\d:\d\d:\d\d/.test(clock), `English clock: ${clock}`);
    await visited.close();
  },

  async "moves by keys until a key gives the view back; a kiosk has no controls"(
    house,
  ) {
    const visited = await visit(house, "/wall?motion=off");
    const { page } = visited;
    await live(page);
    await page
      .locator('[data-testid="map"][data-idle="true"]')
      .waitFor({ timeout: 60_000 });
    await page.keyboard.press("-");
    await page.keyboard.press("ArrowLeft");
    await page.getByTestId("lock").waitFor({ timeout: 10_000 });
    await page.keyboard.press("f");
    await page.getByTestId("lock").waitFor({ state: "detached" });
    check(
      (await page.getByTestId("simulation").count()) === 0,
      "no scenario can be started where there is no simulated city",
    );
    await page.goto(`${house.base}/wall?kiosk=1&motion=off`);
    await live(page);
    check(
      (await page.getByTestId("controls").count()) === 0,
      "a kiosk has no controls",
    );
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },

  async "keeps its shape under long and turned titles"(house) {
    await push(house, "awlr", [
      {
        ...reading({
          thing: `long-${Date.now()}`,
          property: "water_level",
          value: 3.5,
          lng: 100.7,
          lat: -1,
        }),
        name: LONG,
      },
    ]);
    const visited = await visit(house, "/wall?motion=off");
    await live(visited.page);
    await visited.page.getByTestId("focus").waitFor();
    const over = await visited.page.evaluate(() => ({
      x: document.documentElement.scrollWidth - innerWidth,
      y: document.documentElement.scrollHeight - innerHeight,
    }));
    check(over.x <= 0 && over.y <= 0, `the page grew by ${over.x}, ${over.y}`);
    await visited.close();
  },

  async "has no serious accessibility fault, no CSP report and no stranger"(
    house,
  ) {
    for (const path of [
      "/wall?motion=off",
      "/wall?lang=en&motion=off",
      "/login",
    ]) {
      const visited = await visit(house, path);
      const { page } = visited;
      if (path.startsWith("/wall")) {
        await live(page);
        await page
          .locator('[data-testid="map"][data-idle="true"]')
          .waitFor({ timeout: 60_000 });
        await page
          .getByTestId("attribution")
          .getByText(/indikatif/i)
          .waitFor();
      }
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(
        (v) => v.impact === "serious" || v.impact === "critical",
      );
      check(
        serious.length === 0,
        serious
          .map((v) => `${path}: ${v.id}: ${v.nodes[0]?.html ?? ""}`)
          .join("\n"),
      );
      check(visited.faults.length === 0, visited.faults.join("\n"));
      check(visited.strangers.length === 0, visited.strangers.join("\n"));
      await visited.close();
    }
  },

  async "refuses a spent code in words, and asks strangers to sign in"(house) {
    const context = await house.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${house.base}/wall`);
    check(page.url().includes("/login"), `a stranger landed on ${page.url()}`);
    await page.goto(`${house.base}/login?code=spent-long-ago`);
    await page
      .getByRole("alert")
      .getByText(/Kode ini/)
      .waitFor({ timeout: 10_000 });
    await context.close();
  },
};

export default spec;
