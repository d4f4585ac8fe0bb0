import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import {
  answer,
  ask,
  check,
  live,
  push,
  reading,
  until,
  visit,
  type House,
  type Spec,
} from "./house";

interface Opened {
  id: string;
  number: string;
  version: number;
  status: string;
}

async function opened(house: House, more: object = {}): Promise<Opened> {
  return ask<Opened>(house, "POST", "/incidents", {
    type: "flood",
    title: "Banjir, Selayo",
    lng: 100.63,
    lat: -0.83,
    ...more,
  });
}

const act = (house: House, id: string, body: object) =>
  answer(house, "POST", `/incidents/${id}/transitions`, body);

const status = (page: Page) => page.getByTestId("detail-status").innerText();

/** Runs `first` before the next act of the page reaches the server. */
async function beaten(page: Page, first: () => Promise<unknown>) {
  await page.route(
    "**/transitions",
    async (route) => {
      await first();
      await route.continue();
    },
    { times: 1 },
  );
}

const spec: Spec = {
  async "sends strangers to sign in and takes them back"(house) {
    const context = await house.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${house.base}/console?incident=x`);
    check(
      page.url().endsWith("/login?next=%2Fconsole%3Fincident%3Dx"),
      `a stranger landed on ${page.url()}`,
    );
    await context.close();
  },

  async "shows a crossing as an incident, says it aloud, and acknowledges it by keyboard"(
    house,
  ) {
    const visited = await visit(house, "/console");
    const { page } = visited;
    await live(page);
    await page.getByTestId("filters").waitFor();
    await push(house, "awlr", [
      {
        ...reading({
          thing: `desk-${Date.now()}`,
          property: "debris_flow",
          value: 1,
          lng: 100.8,
          lat: -1.1,
        }),
        name: "Kamera Alahan Panjang",
      },
    ]);
    const said = page.getByTestId("said");
    await until(
      async () => /Kritis.*Galodo/.test((await said.textContent()) ?? ""),
      "the live region said nothing of a new critical incident",
    );
    const row = page
      .locator('[data-testid^="row-SLK-"]', { hasText: "Alahan Panjang" })
      .first();
    await row.waitFor({ timeout: 10_000 });
    const first = await page
      .locator('[data-testid^="row-SLK-"]')
      .first()
      .innerText();
    check(first.includes("Galodo"), `the worst does not stand first: ${first}`);
    await row.focus();
    await page.keyboard.press("Enter");
    await page
      .locator('[data-testid="why"]', { hasText: "aturan galodo" })
      .waitFor();
    await page.getByTestId("act-acknowledged").waitFor();
    await page.keyboard.press("a");
    await until(
      async () => (await status(page)) === "diterima",
      "a did not acknowledge",
    );
    await page.getByTestId("timeline").getByText("Diterima").waitFor();
    check(visited.faults.length === 0, visited.faults.join("\n"));
    check(visited.strangers.length === 0, visited.strangers.join("\n"));
    await visited.close();
  },

  async "shows what citizens report, and where"(house) {
    const visited = await visit(house, "/console");
    const { page } = visited;
    await live(page);
    await page.getByTestId("filters").waitFor();
    const text = `Air masuk rumah ${Date.now().toString(36)}`;
    await push(house, "warga", [
      {
        service_request_id: `w-${Date.now()}`,
        status: "open",
        service_name: "Banjir",
        service_code: "banjir",
        description: text,
        requested_datetime: new Date().toISOString(),
        lat: -0.9,
        long: 100.7,
      },
    ]);
    await page.keyboard.press("r");
    const row = page.getByTestId("reports").locator("button", {
      hasText: text,
    });
    await row.waitFor({ timeout: 10_000 });
    await page.keyboard.press("j");
    await until(
      async () => (await row.getAttribute("aria-expanded")) === "true",
      "j does not open the newest report",
    );
    await until(() => {
      const view = new URL(page.url()).searchParams.get("view") ?? "";
      const [w = 0, s = 0, e = 0, n = 0] = view.split(",").map(Number);
      return Promise.resolve(
        Math.abs((w + e) / 2 - 100.7) < 0.02 &&
          Math.abs((s + n) / 2 + 0.9) < 0.02,
      );
    }, "the map does not go to the report");
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },

  async "shows what changed when somebody was faster, and keeps the note"(
    house,
  ) {
    const one = await opened(house);
    await act(house, one.id, { to: "acknowledged" });
    const visited = await visit(house, `/console?incident=${one.id}`);
    const { page } = visited;
    await live(page);
    await page.getByTestId("act-resolved").click();
    await page.getByTestId("outcome").selectOption("no_unit_needed");
    await page.getByTestId("note").fill("air sudah surut");
    await beaten(page, () =>
      act(house, one.id, { to: "dispatched", note: "TRC-1 berangkat" }),
    );
    await page.getByTestId("act-send").click();
    const conflict = page.getByTestId("conflict");
    await conflict.getByText("TRC-1 berangkat").waitFor({ timeout: 10_000 });
    await conflict.getByText("ditugaskan", { exact: true }).waitFor();
    const now = await ask<Opened>(house, "GET", `/incidents/${one.id}`);
    check(now.status === "dispatched", `it became ${now.status}`);
    await page.getByTestId("conflict-leave").click();
    await page.getByTestId("act-cancelled").click();
    check(
      (await page.getByTestId("note").inputValue()) === "air sudah surut",
      "the note is gone",
    );
    await page.reload();
    await live(page);
    await page.getByTestId("act-cancelled").click();
    check(
      (await page.getByTestId("note").inputValue()) === "air sudah surut",
      "the note did not outlive a reload",
    );
    await visited.close();
  },

  async "resolves with an outcome, explains why the same person does not close, reopens with a reason"(
    house,
  ) {
    const one = await opened(house);
    const visited = await visit(house, `/console?incident=${one.id}`);
    const { page } = visited;
    await live(page);
    await page.getByTestId("act-acknowledged").click();
    await page.getByTestId("act-resolved").click();
    await page.getByTestId("act-send").click();
    await page.getByTestId("lacks").waitFor();
    await page.getByTestId("outcome").selectOption("referred");
    await page.getByTestId("note").fill("ke PLN");
    await page.getByTestId("act-send").click();
    await page.getByTestId("separation").waitFor({ timeout: 10_000 });
    check(
      (await page.getByTestId("act-closed").count()) === 0,
      "closing is offered to whoever resolved it",
    );
    await page
      .getByTestId("timeline")
      .getByText("Dilimpahkan: ke PLN")
      .waitFor();
    const refused = await act(house, one.id, { to: "closed" });
    check(refused.status === 403, `closed by the same: ${refused.status}`);
    await page.getByTestId("act-reopened").click();
    await page.getByTestId("act-send").click();
    await page.getByTestId("lacks").waitFor();
    await page.getByTestId("reason").fill("listrik padam lagi");
    await page.getByTestId("act-send").click();
    await until(
      async () => (await status(page)) === "diterima",
      "it was not reopened",
    );
    await visited.close();
  },

  async "opens an incident by keyboard, with a hint of duplicates"(house) {
    await opened(house, { type: "landslide", lng: 100.9, lat: -1.2 });
    const visited = await visit(house, "/console");
    const { page } = visited;
    await live(page);
    await page.getByTestId("new").waitFor();
    await page.keyboard.press("n");
    await page.getByTestId("new-type").selectOption("landslide");
    await page.getByTestId("new-place").fill(`1°12'0"S 100°54'20"E`);
    await page.getByTestId("duplicates").waitFor();
    await page.getByTestId("new-place").fill("di sana");
    await page.getByTestId("new-send").click();
    check(
      (await page.getByTestId("new-place").getAttribute("aria-invalid")) ===
        "true",
      "a place that cannot be read was taken",
    );
    await page.getByTestId("new-place").fill("-0.95, 100.62");
    await page.getByTestId("new-title").fill("Tanah longsor, Cupak");
    await page.getByTestId("new-note").fill("satu lajur tertutup");
    await page.keyboard.press("Control+Enter");
    await page
      .getByTestId("detail-title")
      .getByText("Tanah longsor, Cupak")
      .waitFor({ timeout: 10_000 });
    await page
      .getByTestId("timeline")
      .getByText("satu lajur tertutup")
      .waitFor();
    check(page.url().includes("incident="), "the address does not name it");
    await visited.close();
  },

  async "keeps selection and filters in the address, over a reload and back"(
    house,
  ) {
    const one = await opened(house, { title: "Banjir, Muaro Paneh" });
    const two = await opened(house, { title: "Banjir, Koto Anau" });
    const visited = await visit(house, "/console?q=banjir");
    const { page } = visited;
    await live(page);
    await page.getByTestId(`row-${one.number}`).click();
    await page.getByTestId(`row-${two.number}`).click();
    await page.getByTestId("filter-status").selectOption("new");
    await until(
      () =>
        Promise.resolve(
          page.url().includes("status=new") && page.url().includes("view="),
        ),
      `the address is ${page.url()}`,
    );
    await page.reload();
    await live(page);
    await page.getByTestId("detail-title").getByText("Koto Anau").waitFor();
    check(
      (await page.getByTestId("filter-status").inputValue()) === "new" &&
        (await page.getByTestId("filter-text").inputValue()) === "banjir",
      "filters were lost",
    );
    await page.goBack();
    await page
      .getByTestId("detail-title")
      .getByText("Muaro Paneh")
      .waitFor({ timeout: 10_000 });
    await visited.close();
  },

  async "finds by number, district and sensor from one box"(house) {
    const one = await opened(house, { title: "Pohon tumbang, Aie Dingin" });
    await push(house, "awlr", [
      {
        ...reading({
          thing: "cari-1",
          property: "water_level",
          value: 1.1,
          lng: 100.7,
          lat: -0.9,
        }),
        name: "AWLR Muaro Busuak",
      },
    ]);
    const visited = await visit(house, "/console");
    const { page } = visited;
    await live(page);
    const hits = page.getByTestId("hits");
    const type = async (text: string, want: string) => {
      await page.keyboard.press("/");
      await page.keyboard.type(text);
      await hits.getByText(want).first().waitFor({ timeout: 10_000 });
    };
    await type(one.number, "Pohon tumbang");
    await page.keyboard.press("Enter");
    await page.getByTestId("detail-title").getByText("Aie Dingin").waitFor();
    await type("hiliran", "Hiliran Gumanti");
    await page.keyboard.press("Enter");
    await type("busuak", "AWLR Muaro Busuak");
    await page.keyboard.press("Enter");
    const card = page.getByTestId("thing");
    await card.getByText("AWLR Muaro Busuak").waitFor({ timeout: 10_000 });
    await card.getByTestId("history").click();
    await card.getByTestId("history-table").getByText("1,1 m").waitFor();
    await visited.close();
  },

  async "looks lost, sends nothing while lost, and comes back with the words"(
    house,
  ) {
    const one = await opened(house, { title: "Banjir, Saok Laweh" });
    const visited = await visit(house, `/console?incident=${one.id}`);
    const { page } = visited;
    await live(page);
    let cut = true;
    await page.routeWebSocket(/\/api\/v1\/live/, (ws) => {
      if (cut) void ws.close({ code: 1001 });
      else ws.connectToServer();
    });
    await page.reload();
    const lost = page.getByTestId("lost");
    await lost.waitFor({ timeout: 15_000 });
    check(
      (await lost.innerText()).includes("KONEKSI TERPUTUS"),
      "the banner says what happened",
    );
    check((await page.getByTestId("clock").count()) === 0, "the clock is gone");
    await page.getByTestId("acts-dead").waitFor();
    let sent = 0;
    page.on("request", (request) => {
      if (request.method() === "POST") sent++;
    });
    await page.getByTestId("act-acknowledged").click({ force: true });
    await page.keyboard.press("a");
    check(sent === 0, "an act was sent without a connection");
    cut = false;
    await live(page);
    await lost.waitFor({ state: "detached", timeout: 15_000 });
    await page.getByTestId("act-acknowledged").click();
    await until(
      async () => (await status(page)) === "diterima",
      "acts stay dead after the connection is back",
    );
    await visited.close();
  },

  async "explains every key, speaks both languages, moves by keys"(house) {
    await opened(house);
    const visited = await visit(house, "/console");
    const { page } = visited;
    await live(page);
    await page.getByTestId("rows").waitFor();
    await page.keyboard.press("?");
    await page
      .getByTestId("help")
      .getByText("terima alarm atau insiden terpilih")
      .waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("help").waitFor({ state: "hidden" });
    // The dialog gives the keys back a moment after it is gone from sight.
    await until(async () => {
      if (await page.getByTestId("detail").isVisible()) return true;
      await page.keyboard.press("j");
      await page.waitForTimeout(300);
      return page.getByTestId("detail").isVisible();
    }, "j opens nothing");
    const first = await page.getByTestId("detail-number").innerText();
    await page.keyboard.press("j");
    await until(
      async () =>
        (await page.getByTestId("detail-number").innerText()) !== first,
      "j does not move on",
    );
    await page.keyboard.press("b");
    await page.getByTestId("filters").getByText("not acknowledged").waitFor();
    await page.keyboard.press("3");
    await page.getByTestId("feeds").getByText("awlr").waitFor();
    await page.keyboard.press("2");
    await page.getByTestId("alerts").waitFor({ state: "attached" });
    await visited.close();
  },

  async "has no serious accessibility fault, dark or light, with its panels open"(
    house,
  ) {
    const one = await opened(house);
    const steps: [string, (page: Page) => Promise<unknown>][] = [
      ["?motion=off", (page) => page.getByTestId("detail-empty").waitFor()],
      [
        `?lang=en&motion=off&incident=${one.id}&q=a`,
        async (page) => {
          await page.getByTestId("act-cancelled").click();
          await page.getByTestId("layers").click();
        },
      ],
      [`?incident=${one.id}`, (page) => page.keyboard.press("t")],
      ["", (page) => page.keyboard.press("n")],
      [
        "",
        async (page) => {
          await page.keyboard.press("3");
          await page.keyboard.press("/");
          await page.keyboard.type("banjir");
          await page.getByRole("option").first().waitFor();
        },
      ],
      ["", (page) => page.keyboard.press("?")],
    ];
    for (const [query, open] of steps) {
      const visited = await visit(house, `/console${query}`);
      const { page } = visited;
      await live(page);
      await page
        .getByTestId("attribution")
        .getByText(/indikatif/i)
        .waitFor();
      await page.getByTestId("new").waitFor();
      await open(page);
      await page.waitForTimeout(300);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(
        (v) => v.impact === "serious" || v.impact === "critical",
      );
      check(
        serious.length === 0,
        serious
          .map(
            (v) =>
              `${query}: ${v.id}: ${v.nodes.map((n) => n.html).join("\n  ")}`,
          )
          .join("\n"),
      );
      check(visited.faults.length === 0, visited.faults.join("\n"));
      check(visited.strangers.length === 0, visited.strangers.join("\n"));
      await visited.close();
    }
  },
};

export default spec;
