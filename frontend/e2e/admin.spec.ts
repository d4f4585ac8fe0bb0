import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import {
  check,
  PHONE,
  push,
  reading,
  visit,
  type House,
  type Spec,
} from "./house";

const stamp = () => Date.now().toString(36);

/** Bytes as an agency would send them, with a key of its own. */
async function send(
  house: House,
  feed: string,
  key: string,
  body: string,
): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${house.base}/api/v1/ingest/${feed}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
    },
    body,
  });
  return { status: answer.status, body: await answer.text() };
}

async function until(what: () => Promise<boolean>, why: string): Promise<void> {
  const end = Date.now() + 12_000;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(why);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const live = (page: Page) =>
  page.locator('[data-testid="admin"][data-phase="live"]').waitFor();

async function axe(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const bad = violations.filter(
    (v) => v.impact === "serious" || v.impact === "critical",
  );
  check(
    bad.length === 0,
    `${where}: ${bad.map((v) => `${v.id} ${v.nodes[0]?.html ?? ""}`).join("; ")}`,
  );
}

/** Makes a key for a feed on the page and gives its token. */
async function makeKey(page: Page, name: string, feed: string) {
  await page.getByTestId("page-keys").click();
  await page.getByTestId("new-key").click();
  await page.getByTestId("key-name").fill(name);
  await page.getByTestId("key-feed").selectOption(feed);
  await page.getByTestId("make-key").click();
  const token = await page.getByTestId("token").innerText();
  await page.getByTestId("token-kept").click();
  return token;
}

async function revoke(page: Page, name: string): Promise<void> {
  await page.getByTestId("page-keys").click();
  await page.getByTestId(`revoke-${name}`).click();
  await page.getByTestId("revoke-yes").click();
  await page.getByTestId(`revoke-${name}`).waitFor({ state: "detached" });
}

const MAP =
  '{thing: .kode, property: "water_level", unit: "m", value: (.tma | num), lat: .lat, lng: .lng}';
const sheet = (level: number) =>
  JSON.stringify({
    data: Array.from({ length: 12 }, (_, i) => ({
      kode: `P-${i}`,
      tma: String(level + i / 10),
      lat: -0.83 + i / 1000,
      lng: 100.63 + i / 1000,
    })),
  });

interface Kept {
  config: Record<string, unknown>;
  version: number;
}

const asked = (house: House, name: string, init: RequestInit) =>
  fetch(`${house.base}/api/v1/feeds/${name}`, {
    ...init,
    headers: {
      authorization: `Bearer ${house.token}`,
      "content-type": "application/json",
    },
  });

const kept = async (house: House, name: string): Promise<Kept> =>
  (await (await asked(house, name, {})).json()) as Kept;

/** Somebody else changes a feed. */
async function change(
  house: House,
  name: string,
  version: number,
): Promise<void> {
  const { config } = await kept(house, name);
  const body = { config: { ...config, interval: "90s" }, version };
  const answer = await asked(house, name, {
    method: "PUT",
    body: JSON.stringify(body),
  });
  check(answer.status === 200, `another's change: ${answer.status}`);
}

/** Writes a JSON feed down, tries it and saves it. */
async function connect(page: Page, name: string): Promise<void> {
  await page.getByTestId("page-try").click();
  await page.getByTestId("fresh").click();
  await page.getByTestId("body").fill(sheet(1.4));
  await page.getByTestId("each").fill(".data[]");
  await page.getByTestId("map").fill(MAP);
  await page.getByTestId("run").click();
  await page.getByTestId("records-observations").waitFor();
  await page.getByTestId("name").fill(name);
  await page.getByTestId("kind").fill("river_gauge");
  await page.getByTestId("save").click();
  await page.getByTestId("feed-page").waitFor();
}

const spec: Spec = {
  async "sends strangers to sign in and takes them back"(house) {
    const context = await house.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${house.base}/admin?feed=awlr`);
    check(
      page.url().endsWith("/login?next=%2Fadmin%3Ffeed%3Dawlr"),
      `a stranger landed on ${page.url()}`,
    );
    await context.close();
  },

  async "shows each feed with its state, the worst first, and by keyboard"(
    house,
  ) {
    await push(house, "hujan", [
      {
        ...reading({
          thing: "h-1",
          property: "rainfall",
          value: 2,
          lng: 100.63,
          lat: -0.83,
        }),
      },
    ]);
    const visited = await visit(house, "/admin");
    const { page } = visited;
    await live(page);
    // A declared interval of 2 s, and one reading: it is late, then failing, within seconds.
    await page
      .locator('[data-testid="feed-hujan"][data-stand="failing"]')
      .waitFor({ timeout: 15_000 });
    const first = page.locator('tr[data-testid^="feed-"]').first();
    await until(
      async () => (await first.getAttribute("data-testid")) === "feed-hujan",
      "the failing feed does not stand first",
    );
    const told = await first.innerText();
    check(
      /Terlalu lama diam|baru saja gagal/.test(told),
      `the reason is not told in Indonesian: ${told}`,
    );
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByTestId("feed-page").waitFor();
    check(page.url().includes("feed=hujan"), `the address is ${page.url()}`);
    await axe(page, "a feed");
    await page.keyboard.press("Escape");
    await page.getByTestId("feed-table").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("cap");
    await page.getByTestId("feed-hujan").waitFor({ state: "detached" });
    check(page.url().includes("q=cap"), "the filter is not in the address");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByTestId("help").waitFor();
    await axe(page, "the list with its help");
    check(visited.faults.length === 0, visited.faults.join("\n"));
    check(visited.strangers.length === 0, visited.strangers.join("\n"));
    await visited.close();
  },

  async "works on a phone and in English"(house) {
    const visited = await visit(house, "/admin?lang=en");
    const { page } = visited;
    await page.setViewportSize({ width: 390, height: 844 });
    await live(page);
    await page.getByTestId("card-awlr").click();
    await page.getByTestId("tab-send").click();
    await page
      .getByText("/api/v1/ingest/awlr", { exact: false })
      .first()
      .waitFor();
    const wide = await page.evaluate(
      () => document.documentElement.scrollWidth - innerWidth,
    );
    check(wide <= 0, `the page scrolls sideways by ${wide} px`);
    await axe(page, "a feed on a phone");
    await page.getByTestId("back").click();
    await page.getByTestId("feed-cards").waitFor();
    await visited.close();
  },

  async "makes a key, shows it once, and revokes it"(house) {
    const visited = await visit(house, "/admin?page=keys");
    const { page } = visited;
    await live(page);
    const name = `kunci-${stamp()}`;
    const key = await makeKey(page, name, "awlr");
    const record = JSON.stringify(
      reading({
        thing: "k-1",
        property: "water_level",
        value: 1,
        lng: 100.63,
        lat: -0.83,
      }),
    );
    const sent = await send(house, "awlr", key, record);
    check(
      sent.status === 202,
      `a push with the key: ${sent.status} ${sent.body}`,
    );
    const other = await send(house, "hujan", key, record);
    check(
      other.status === 401 || other.status === 403,
      `another feed's push: ${other.status}`,
    );
    check(
      !(await page.content()).includes(key),
      "the token is still on the page after it was put away",
    );
    await axe(page, "the keys");
    await revoke(page, name);
    await until(
      async () => (await send(house, "awlr", key, record)).status === 401,
      "a revoked key still opens",
    );
    await visited.close();
  },

  async "names the fault of a map, tries, saves, and takes data with a new key"(
    house,
  ) {
    const visited = await visit(house, "/admin?page=try");
    const { page } = visited;
    await live(page);
    await page.getByTestId("sample").click();
    await until(
      async () => (await page.getByTestId("body").inputValue()).includes("P-1"),
      "the sample does not come",
    );
    await page.getByTestId("map").fill("{thing: .kode,\n property: }");
    await page.getByTestId("run").click();
    await page.getByTestId("map-faults").getByText("2").first().waitFor();
    check(
      (await page.getByTestId("body").inputValue()).includes("P-1"),
      "a fault lost what was pasted",
    );
    const name = `uji-${stamp()}`;
    await connect(page, name);
    await axe(page, "a saved feed");
    const key = await makeKey(page, `kunci-${name}`, name);
    await until(async () => {
      const sent = await send(house, name, key, sheet(1.4));
      return sent.status === 202 && sent.body.includes('"accepted":12');
    }, "the saved feed takes no data within 12 s");
    await page.goto(`${house.base}/admin?feed=${name}`);
    await page
      .locator('[data-testid="stand"][data-stand="ok"]')
      .waitFor({ timeout: 10_000 });
    // The same name again is a conflict that loses nothing.
    await page.getByTestId("page-try").click();
    await page.getByTestId("name").fill(name);
    await page.getByTestId("save").click();
    await page.getByTestId("save-fault").waitFor();
    check(
      (await page.getByTestId("map").inputValue()) === MAP,
      "a conflict lost the map",
    );
    // A change that somebody else's went before is told with its version, and may be wanted all the same.
    await page.goto(`${house.base}/admin?feed=${name}&tab=config`);
    await page.getByTestId("edit").click();
    await page.getByTestId("save-form").waitFor();
    await change(house, name, 1);
    await page.getByTestId("kind").fill("rain_gauge");
    await page.getByTestId("save").click();
    await page.getByTestId("overwrite").click();
    await page.getByTestId("feed-page").waitFor();
    check(
      (await kept(house, name)).version === 3,
      "the change that was wanted all the same is not kept",
    );
    await revoke(page, `kunci-${name}`);
    await page.goto(`${house.base}/admin?feed=${name}&tab=config`);
    await page.getByTestId("delete").click();
    await page.getByTestId("delete-sure").getByRole("button").first().click();
    await page.getByTestId(`feed-${name}`).waitFor({ state: "detached" });
    await visited.close();
  },

  async "holds what has changed its shape, shows how, and lets a person decide"(
    house,
  ) {
    // A dozen Things, a minute apart. That the unit is m is written down, so nothing waits for a contract to be learned.
    const begun = Date.now() - 20 * 60_000;
    const delivery = (i: number, unit: string) =>
      JSON.stringify(
        Array.from({ length: 12 }, (_, n) => ({
          thing: `u-${n}`,
          property: "water_level",
          value: 1.2 + n / 10 + i / 50,
          unit,
          at: new Date(begun + i * 60_000).toISOString(),
          lng: 100.63 + n / 1000,
          lat: -0.83 + n / 1000,
        })),
      );
    for (let i = 0; i < 5; i++) {
      const sent = await send(house, "ukur", house.token, delivery(i, "m"));
      check(sent.status === 202, `a delivery: ${sent.status} ${sent.body}`);
    }
    const odd = await send(house, "ukur", house.token, delivery(5, "km"));
    check(odd.status === 202, `a held delivery: ${odd.status} ${odd.body}`);
    check(odd.body.includes("quarantine"), `it was not held: ${odd.body}`);
    const visited = await visit(house, "/admin?feed=ukur&tab=quarantine");
    const { page } = visited;
    await live(page);
    const card = page.locator('[data-testid^="held-"][data-state="held"]');
    await card.waitFor({ timeout: 10_000 });
    const told = await card.innerText();
    check(
      /water_level/.test(told) && /km/.test(told),
      `the difference is not told: ${told}`,
    );
    check(
      (await card.getByTestId("held-deliveries").innerText()) === "1" &&
        /\d/.test(await card.getByTestId("held-left").innerText()),
      "how much is held, and for how long, is not told",
    );
    await axe(page, "the quarantine");
    await page.getByTestId("tab-contract").click();
    await page.getByTestId("contract").getByText("water_level").waitFor();
    await page.getByTestId("tab-quarantine").click();
    await card.getByTestId("keep").click();
    await card.getByRole("textbox").fill("alat salah setel");
    await card.getByTestId("sure").click();
    await page.locator('[data-testid^="held-"][data-state="kept"]').waitFor();
    check(
      (await page.getByTestId("feed-page").innerText()).includes(
        "alat salah setel",
      ),
      "the note is not shown",
    );
    // What was set aside may still be accepted, when the sender says that it was right.
    await page.getByTestId("accept").click();
    await page.getByTestId("sure").click();
    await page
      .locator('[data-testid^="held-"][data-state="accepted"]')
      .waitFor();
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },

  async "every page of the menu is in sight, on a laptop and on a telephone, in both languages"(
    house,
  ) {
    const visited = await visit(house, "/admin");
    const { page } = visited;
    for (const lang of ["id", "en"]) {
      await page.goto(`${house.base}/admin?lang=${lang}`);
      await live(page);
      for (const size of [
        { width: 1920, height: 1080 },
        { width: 1280, height: 720 },
        PHONE,
      ]) {
        await page.setViewportSize(size);
        const parts = page.locator("header nav a");
        check((await parts.count()) >= 11, "the menu is not whole");
        for (const part of await parts.all()) {
          const box = await part.boundingBox();
          const word = (await part.innerText()).trim();
          // What scrolls under its neighbour has a box, and is not what lies there.
          const seen = await part.evaluate((e) => {
            const { left, right, top, bottom } = e.getBoundingClientRect();
            const y = (top + bottom) / 2;
            return [left + 2, right - 2].every((x) =>
              e.contains(document.elementFromPoint(x, y)),
            );
          });
          check(
            seen && box !== null && box.x + box.width <= size.width,
            `${lang}, ${String(size.width)}: ${word} is out of sight`,
          );
        }
      }
    }
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },
};

export default spec;
