// Signing in on the real binary. The browser goes to localhost by name: a passkey belongs to a name.
import { createHmac } from "node:crypto";
import { AxeBuilder } from "@axe-core/playwright";
import type { BrowserContext, Page } from "playwright-core";
import { check, live, type House, type Spec } from "./house";

const PASSWORD = "tiga gajah makan nasi";
const home = (house: House) => house.base.replace("127.0.0.1", "localhost");

/** Time-based one-time password (RFC 6238), SHA-1, six digits, 30 s. */
function totp(secret: string, at = Date.now()): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(secret.replace(/\s/g, ""))
    .map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from(
    (bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)),
  );
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const from = (mac.at(-1) ?? 0) & 15;
  const value = (mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000;
  return String(value).padStart(6, "0");
}

let made = 0;

/** Makes an account and gives its login and its invitation. */
async function invite(
  house: House,
  role: string,
  name: string,
): Promise<{ login: string; link: string }> {
  const login = `orang-${String(++made)}-${Date.now().toString(36)}`;
  const answer = await fetch(`${house.base}/api/v1/users`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${house.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ login, name, grants: [{ role }] }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`invite: ${answer.status} ${text}`);
  const { link } = JSON.parse(text) as { link: string };
  return { login, link: new URL(link).search };
}

const open = (house: House): Promise<BrowserContext> =>
  house.browser.newContext({
    viewport: { width: 1280, height: 720 },
    reducedMotion: "reduce",
  });

/** From the invitation to a password. */
async function redeemed(page: Page, house: House, link: string) {
  await page.goto(`${home(house)}/login${link}`);
  await page.getByTestId("set-password").waitFor();
  await page.locator("#new-password").fill(PASSWORD);
  await page.keyboard.press("Enter");
}

/** Sets up an app; gives its secret and the recovery codes. */
async function enrolled(page: Page) {
  await page.getByTestId("qr").waitFor();
  const secret = await page.getByTestId("totp-secret").innerText();
  await page.getByTestId("totp-setup").locator("input").fill(totp(secret));
  await page.keyboard.press("Enter");
  await page.getByTestId("codes").waitFor();
  const codes = await page.getByTestId("codes").locator("li").allInnerTexts();
  return { secret, codes };
}

async function seated(page: Page, desk: string) {
  await page.getByTestId(`desk-${desk}`).click();
  await page.getByTestId("desk").waitFor();
  await live(page);
}

async function password(page: Page, login: string, secret = PASSWORD) {
  await page.locator("input[name=username]").fill(login);
  await page.locator("#password").fill(secret);
  await page.keyboard.press("Enter");
}

async function passable(page: Page, where: string) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter((v) =>
    ["serious", "critical"].includes(v.impact ?? ""),
  );
  check(
    grave.length === 0,
    `${where}: ${JSON.stringify(grave.map((v) => [v.id, v.nodes[0]?.html]))}`,
  );
}

const spec: Spec = {
  async "an invitation leads over password, app, codes and desk to the desk, and back in with a code"(
    house,
  ) {
    const context = await open(house);
    const page = await context.newPage();
    const { login, link } = await invite(house, "supervisor", "Rina Sari");
    await redeemed(page, house, link);
    await page.getByTestId("enrol").waitFor();
    await passable(page, "enrolment");
    const { secret, codes } = await enrolled(page);
    check(codes.length === 10, `${codes.length} recovery codes`);
    const go = page.getByTestId("codes").locator("button[type=submit]");
    check(await go.isDisabled(), "goes on although nothing was saved");
    await page.getByTestId("saved").check();
    await go.click();
    await page.getByTestId("desks").waitFor();
    await passable(page, "desks");
    await seated(page, "desk-2");
    const who = await page.getByTestId("me").innerText();
    check(who.includes("Rina Sari") && /2/.test(who), `the header says ${who}`);

    const other = await open(house);
    const second = await other.newPage();
    await second.goto(`${home(house)}/login?next=/console`);
    await second.getByTestId("enter").waitFor();
    await passable(second, "sign-in");
    await password(second, login, "salah sama sekali");
    await second.getByText(/salah/i).first().waitFor();
    check(
      await second
        .locator("#password")
        .evaluate((e) => e === document.activeElement),
      "the password has no focus after a wrong one",
    );
    await password(second, login);
    await second.getByTestId("second").waitFor();
    await passable(second, "second factor");
    // Six digits go by themselves; a wrong one costs one of five.
    await second.getByTestId("second").locator("input").fill("000000");
    await second.getByTestId("left").filter({ hasText: "4" }).waitFor();
    // The code that set the app up is used: the next step's counts.
    await second
      .getByTestId("second")
      .locator("input")
      .fill(totp(secret, Date.now() + 30_000));
    await second.getByTestId("desks").waitFor();
    let closed = 0;
    second.on("websocket", (socket) => {
      socket.on("close", () => {
        closed = Date.now();
      });
    });
    await seated(second, "desk-1");

    // Signed out elsewhere: this screen is at the sign-in page within a second.
    await page.goto(`${home(house)}/login?account&next=/console`);
    await page.getByTestId("sessions").waitFor();
    const end = page.getByTestId("sessions").locator("button").first();
    await end.waitFor();
    const left = second.waitForRequest(/\/login\?next=/, { timeout: 5_000 });
    const answered = page.waitForResponse(
      (r) => r.request().method() === "DELETE",
    );
    await end.click();
    await answered;
    const from = Date.now();
    await left;
    // The socket is the measure, on a machine that does other things as well (server/app holds it to a second): how soon the next page is there is the machine's affair.
    check(
      closed > 0 && closed - from < 2_500,
      `the other screen heard it after ${closed - from} ms`,
    );

    // A recovery code in place of the app.
    await second.getByTestId("enter").waitFor();
    await password(second, login);
    await second.getByTestId("second").waitFor();
    await second.getByRole("button", { name: /pemulihan/ }).click();
    await second
      .getByTestId("second")
      .locator("input")
      .fill(codes[0] ?? "");
    await second.keyboard.press("Enter");
    await second.getByTestId("desks").waitFor();
    await context.close();
    await other.close();
  },

  async "another person takes over and the desk stays as it lies"(house) {
    const context = await open(house);
    const page = await context.newPage();
    const first = await invite(house, "operator", "Budi Santoso");
    await redeemed(page, house, first.link);
    await seated(page, "desk-1");
    const next = await invite(house, "operator", "Citra Dewi");
    const aside = await open(house);
    const setup = await aside.newPage();
    await redeemed(setup, house, next.link);
    await setup.getByTestId("desks").waitFor();
    await aside.close();

    await page.keyboard.press("2");
    await page.evaluate(() => {
      (window as unknown as { stays: boolean }).stays = true;
    });
    const views: string[] = [];
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => views.push(String(payload)));
    });
    await page.getByTestId("me").locator("summary").click();
    await page.getByTestId("to-switch").click();
    await page.getByTestId("switch").waitFor();
    await passable(page, "switch");
    await password(page, next.login);
    await page.getByTestId("me-name").filter({ hasText: "Citra" }).waitFor();
    await page.getByTestId("switch").waitFor({ state: "detached" });
    await live(page);
    const end = Date.now() + 5_000;
    while (!views.some((v) => v.includes('"cursor"')) && Date.now() < end)
      await new Promise((done) => setTimeout(done, 50));
    check(
      views.some((v) => v.includes('"cursor"')),
      "the socket did not come back with a cursor",
    );
    check(
      await page.evaluate(
        () => (window as unknown as { stays?: boolean }).stays === true,
      ),
      "the page was loaded anew",
    );
    const tab = page.locator('[role=tab][aria-selected="true"]');
    check(
      (await tab.getAttribute("id")) === "tab-alerts",
      `the open panel is ${await tab.getAttribute("id")}`,
    );
    check(
      /1/.test(await page.getByTestId("me-name").locator("..").innerText()),
      "the desk went with the person",
    );

    // Locked: nothing of the desk is drawn, a reload changes nothing, the same person opens it.
    await page.getByTestId("me").locator("summary").click();
    await page.getByTestId("to-lock").click();
    await page.getByTestId("lock").waitFor();
    await page.keyboard.press("Escape");
    check(await page.getByTestId("lock").isVisible(), "Escape opens the lock");
    check(
      !(await page.locator("#panel-left").isVisible()),
      "a locked desk shows its panels",
    );
    await page.reload();
    await page.getByTestId("lock").waitFor();
    await page.locator("#confirm-password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByTestId("lock").waitFor({ state: "detached" });
    check(
      await page.locator("#panel-left").isVisible(),
      "the desk stays hidden",
    );
    await context.close();
  },

  async "a passkey signs in alone"(house) {
    const context = await open(house);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const { link } = await invite(house, "dispatcher", "Sinta Wulan");
    await redeemed(page, house, link);
    await page.getByTestId("enrol").waitFor();
    await page
      .getByRole("button", { name: "Kunci sandi", exact: true })
      .click();
    await page.getByTestId("passkey-setup").locator("button").click();
    await page.getByTestId("codes").waitFor();
    await page.getByTestId("saved").check();
    await page.getByTestId("codes").locator("button[type=submit]").click();
    await seated(page, "desk-3");
    await page.getByTestId("me").locator("summary").click();
    await page.getByRole("button", { name: "Keluar" }).click();
    await page.waitForURL(/\/login/);
    await page
      .getByTestId("enter")
      .or(page.getByTestId("desks"))
      .first()
      .waitFor();
    // A virtual key answers the offer in the field by itself, where the browser makes one; else the button asks.
    await page
      .getByRole("button", { name: /kunci sandi/i })
      .click({ timeout: 2_000 })
      .catch(() => undefined);
    await page.getByTestId("desks").waitFor();
    await context.close();
  },

  async "it works with the keyboard alone"(house) {
    const context = await open(house);
    const page = await context.newPage();
    const { login, link } = await invite(house, "operator", "Tono");
    await redeemed(page, house, link);
    await page.getByTestId("desks").waitFor();
    await context.clearCookies();
    await page.goto(`${home(house)}/login`);
    await page.getByTestId("enter").waitFor();
    await page.locator("input[name=username]:focus").waitFor();
    await page.keyboard.type(login);
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.locator('[data-testid="desk-desk-1"]:focus').waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByTestId("desk").waitFor();
    await context.close();
  },

  async "a wall shows a code, and opens once it is approved"(house) {
    const context = await open(house);
    const page = await context.newPage();
    await page.goto(`${home(house)}/login`);
    const way = page.getByTestId("to-wall");
    await way.waitFor({ state: "attached" });
    if (!(await way.isVisible())) await page.locator("summary").first().click();
    await way.click();
    const code = (await page.getByTestId("device-code").innerText()).trim();
    check(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/.test(code), `the code is ${code}`);
    const answer = await fetch(`${house.base}/api/v1/devices/approve`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${house.token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ code, name: "Dinding 1", screen: "dinding-1" }),
    });
    check(answer.ok, `approve: ${answer.status}`);
    await page.waitForURL(/\/wall/);
    await live(page);
    await context.close();
  },
};

export default spec;
