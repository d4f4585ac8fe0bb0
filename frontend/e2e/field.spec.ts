// A crew's phone on the real binary: a task is taken, the network goes, the page is killed and opened again without it, and the house hears each act once.
import { AxeBuilder } from "@axe-core/playwright";
import type { BrowserContext, Page } from "playwright-core";
import {
  ask,
  check,
  DOT,
  PHONE,
  stepped,
  until,
  type Doc,
  type House,
  type Spec,
} from "./house";
import { enters } from "./persons";

const TIMEOUT_MS = 30_000;

interface Sent {
  id: string;
  status: string;
  version: number;
  times: Record<string, string | null>;
  received: Record<string, string | null>;
}

interface Told {
  comments?: { text: string }[];
  attachments?: { taken_at: string }[];
  proof: { have: { kind: string }[] };
}

/** An incident, and the first unit that is free sent to it. */
async function sent(house: House) {
  const incident = await ask<{ id: string }>(house, "POST", "/incidents", {
    type: "flood",
    severity: "Severe",
    lng: 100.63,
    lat: -0.83,
  });
  const units = await ask<{ items: { id: string; status: string }[] }>(
    house,
    "GET",
    "/units",
  );
  const unit = units.items.find((u) => u.status === "available");
  if (!unit) throw new Error("no unit is free");
  const dispatch = await ask<Sent>(
    house,
    "POST",
    `/incidents/${incident.id}/dispatches`,
    { unit: unit.id, note: "Lewat Cupak, Koto Anau tertutup" },
  );
  return { incident: incident.id, unit: unit.id, dispatch: dispatch.id };
}

async function phone(house: House, more: object = {}): Promise<BrowserContext> {
  const context = await house.browser.newContext({
    viewport: PHONE,
    hasTouch: true,
    reducedMotion: "reduce",
    ...more,
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  const signedIn = await context.request.post(`${house.base}/api/v1/session`, {
    headers: {
      authorization: `Bearer ${house.token}`,
      origin: house.base,
      "content-type": "application/json",
    },
    data: {},
  });
  check(signedIn.ok(), `sign in: ${signedIn.status()}`);
  return context;
}

async function open(
  context: BrowserContext,
  house: House,
  search: string,
): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${house.base}/field${search}`);
  return page;
}

/** Whoever reports of several units says once which one. */
async function choose(page: Page, unit: string): Promise<void> {
  await page.locator(`[data-unit="${unit}"]`).click({ timeout: TIMEOUT_MS });
  await page.getByTestId("task").waitFor({ timeout: TIMEOUT_MS });
}

async function waiting(page: Page, count: number): Promise<void> {
  await page
    .locator(`[data-testid="outbox"][data-waiting="${count}"]`)
    .waitFor({ timeout: TIMEOUT_MS });
}

async function note(page: Page, text: string): Promise<void> {
  await page.getByTestId("note").click();
  await page.getByRole("textbox").fill(text);
  await page.getByRole("button", { name: "Keep and send" }).click();
  await page.getByTestId("note").waitFor({ timeout: TIMEOUT_MS });
}

const unitOf = async (house: House, id: string): Promise<Doc> => {
  const { items } = await ask<{ items: Doc[] }>(house, "GET", "/units");
  const one = items.find((u) => u["id"] === id);
  if (!one) throw new Error(`${id} is gone`);
  return one;
};

/** Ends what a test began, so that the unit is free for the next. */
async function ends(house: House, dispatch: string): Promise<void> {
  await ask(house, "POST", `/dispatches/${dispatch}/transitions`, {
    to: "cancelled",
    reason: "the test is over",
  });
}

/** Holds a button with the mouse, as a thumb does. */
async function hold(page: Page, ms: number): Promise<void> {
  await page.getByTestId("sos").scrollIntoViewIfNeeded();
  const at = await page.getByTestId("sos").boundingBox();
  if (!at) throw new Error("no button calls for help");
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.mouse.down();
  await page.waitForTimeout(ms);
  await page.mouse.up();
}

/** The registration of the page's service worker, as the browser's own tools name it. */
async function workerOf(context: BrowserContext, page: Page) {
  const tools = await context.newCDPSession(page);
  const found = new Promise<string>((done) => {
    tools.on("ServiceWorker.workerRegistrationUpdated", (said) => {
      const one = said.registrations.find((r) => r.scopeURL.includes("/field"));
      if (one) done(one.registrationId);
    });
  });
  await tools.send("ServiceWorker.enable");
  return { tools, registrationId: await found };
}

const spec: Spec = {
  "where the phone is goes to the post on a press, while on duty, and stops on another":
    async (house) => {
      const task = await sent(house);
      const context = await phone(house, {
        geolocation: { longitude: 100.651, latitude: -0.792, accuracy: 12 },
        permissions: ["geolocation"],
      });
      try {
        const page = await open(context, house, "?lang=en");
        await choose(page, task.unit);
        const place = (stands: string) =>
          page
            .locator(`[data-testid="place"][data-standing="${stands}"]`)
            .waitFor({ timeout: TIMEOUT_MS });
        await place("off");
        check(
          (await unitOf(house, task.unit))["lng"] !== 100.651,
          "a place is told that nobody has shared",
        );
        await page.getByTestId("place-share").click();
        await place("on");
        const at = await until(async () => {
          const unit = await unitOf(house, task.unit);
          return unit["lng"] === 100.651 && unit["lat"] === -0.792 && unit;
        }, "the post does not know where the phone is");
        check(Number(at["position_age_s"]) < 30, "the place is old");
        const said = await page.getByTestId("place").innerText();
        check(/within 12 m/.test(said), `it says: ${said}`);

        // Without a network the way is kept, and told once there is one.
        await context.setOffline(true);
        await context.setGeolocation({
          longitude: 100.661,
          latitude: -0.792,
          accuracy: 9,
        });
        await page
          .getByTestId("place")
          .getByText("within 9 m")
          .waitFor({ timeout: TIMEOUT_MS });
        // A drive is told of every 15 s.
        await context.setOffline(false);
        await until(
          async () => (await unitOf(house, task.unit))["lng"] === 100.661,
          "what waited is not told",
          40_000,
        );
        await page.getByTestId("place-stop").click();
        await place("off");

        await context.clearPermissions();
        await page.getByTestId("place-share").click();
        await place("denied");
      } finally {
        await context.close();
        await ends(house, task.dispatch);
      }
    },

  "an order that is pushed is shown, is known to be delivered, and leads to our own page alone":
    async (house) => {
      const task = await sent(house);
      const { link } = await ask<{ link: string }>(house, "POST", "/users", {
        login: `andi-${Date.now()}`,
        name: "Andi",
        grants: [{ role: "field", agency: task.unit.split("/")[0] }],
        unit: task.unit,
      });
      const { context, page } = await enters(house, link, false, PHONE);
      context.setDefaultTimeout(TIMEOUT_MS);
      try {
        await context.grantPermissions(["notifications"], {
          origin: house.base,
        });
        await page.goto(`${house.base}/field?lang=en`);
        await page.getByTestId("task").waitFor();
        await page.evaluate(async () => navigator.serviceWorker.ready);
        const { tools, registrationId } = await workerOf(context, page);
        const order = (data: string) =>
          tools.send("ServiceWorker.deliverPushMessage", {
            origin: house.base,
            registrationId,
            data,
          });
        const shown = () =>
          page.evaluate(async () => {
            const worker =
              await navigator.serviceWorker.getRegistration("/field");
            return (await worker?.getNotifications())?.map((n) => ({
              title: n.title,
              body: n.body,
              data: n.data as { url: string },
            }));
          });
        await order(
          JSON.stringify({
            kind: "dispatch",
            id: task.dispatch,
            title: "TRC 1: banjir, Kubung",
            body: "Lewat Cupak",
            url: "https://evil.example/field",
            at: new Date().toISOString(),
          }),
        );
        const one = await until(async () => {
          const all = await shown();
          return all?.find((n) => n.title === "TRC 1: banjir, Kubung");
        }, "the order is not shown");
        check(one.body === "Lewat Cupak", `it says ${one.body}`);
        check(one.data.url === "/field", `it leads to ${one.data.url}`);
        await until(async () => {
          const { receipt } = await ask<{ receipt: { delivered: string } }>(
            house,
            "GET",
            `/dispatches/${task.dispatch}`,
          );
          return receipt.delivered;
        }, "the post does not know that it was delivered");
        // What cannot be read is a knock all the same.
        await order("\u202e<b>{");
        await until(async () => {
          const all = await shown();
          return all?.some((n) => n.title === "A new task from the post");
        }, "what cannot be read is lost");
      } finally {
        await context.close();
        await ends(house, task.dispatch);
      }
    },

  "acts outlive the network and the page, and the house hears each of them once":
    async (house) => {
      const task = await sent(house);
      const context = await phone(house);
      // The page alone is cut off here: the browser would let its worker send what waits.
      await context.addInitScript(() => {
        Reflect.deleteProperty(ServiceWorkerRegistration.prototype, "sync");
      });
      try {
        let page = await open(context, house, "?lang=en&theme=light");
        await choose(page, task.unit);
        await page.evaluate(async () => navigator.serviceWorker.ready);
        await stepped(page);
        await waiting(page, 0);
        await page.getByRole("button", { name: "Set out" }).waitFor();

        await context.setOffline(true);
        // Said at once, and not with the next question to the house.
        await page.locator('[data-line="off"]').waitFor({ timeout: 5_000 });
        await page.getByTestId("next").click();
        await note(page, "Jembatan masih kuat");
        await waiting(page, 2);
        await page.close();

        page = await open(context, house, "");
        await page.getByRole("button", { name: "On scene" }).click();
        await note(page, "Air 40 cm");
        await page.getByTestId("camera").setInputFiles({
          name: "air.png",
          mimeType: "image/png",
          buffer: DOT,
        });
        await waiting(page, 5);
        const done = Date.now();
        await page
          .locator('[data-line="off"]')
          .waitFor({ timeout: TIMEOUT_MS });

        await context.setOffline(false);
        await waiting(page, 0);
        const now = await ask<Sent>(
          house,
          "GET",
          `/dispatches/${task.dispatch}`,
        );
        check(now.status === "on_scene", `it is ${now.status}`);
        check(now.version === 4, `three steps make version ${now.version}`);
        const at = (of: Record<string, string | null>, step: string) =>
          Date.parse(of[step] ?? "");
        for (const step of ["en_route", "on_scene"]) {
          check(
            at(now.times, step) <= done + 2_000 &&
              at(now.times, step) < at(now.received, step),
            `${step} was done before it was heard: ${now.times[step] ?? ""} ${now.received[step] ?? ""}`,
          );
        }
        const {
          comments = [],
          attachments = [],
          proof,
        } = await ask<Told>(house, "GET", `/incidents/${task.incident}`);
        check(
          comments.map((c) => c.text).join("|") ===
            "Jembatan masih kuat|Air 40 cm",
          `notes come once, in order: ${comments.map((c) => c.text).join("|")}`,
        );
        check(
          attachments.length === 1 &&
            proof.have.some((p) => p.kind === "photo"),
          `${attachments.length} photos, proof ${JSON.stringify(proof.have)}`,
        );
      } finally {
        await context.close();
      }
    },

  "what has moved on meanwhile is told in words, and fits small phones": async (
    house,
  ) => {
    const task = await sent(house);
    const context = await phone(house);
    try {
      const page = await open(context, house, "?lang=en&theme=light");
      await choose(page, task.unit);
      for (const theme of ["light", "dark"]) {
        for (const size of [PHONE, { width: 360, height: 640 }]) {
          await page.setViewportSize(size);
          await page.goto(`${house.base}/field?lang=id&theme=${theme}`);
          await page.getByTestId("task").waitFor({ timeout: TIMEOUT_MS });
          const wide = await page.evaluate(
            () => document.documentElement.scrollWidth,
          );
          check(wide <= size.width, `${wide} wide on ${size.width}`);
          const low = await page.evaluate(() =>
            [...document.querySelectorAll(".field button, .field a, summary")]
              .map((b) => b.getBoundingClientRect().height)
              .filter((height) => height > 0 && height < 56),
          );
          check(low.length === 0, `targets below 56 px: ${low.join(" ")}`);
        }
        const { violations } = await new AxeBuilder({ page }).analyze();
        check(
          violations.length === 0,
          `${theme}: ${violations.map((v) => `${v.id} ${v.nodes[0]?.html ?? ""}`).join("; ")}`,
        );
      }
      await page.goto(`${house.base}/field?lang=en`);
      await page.getByTestId("task").waitFor({ timeout: TIMEOUT_MS });
      await context.setOffline(true);
      await page.getByTestId("next").click();
      await waiting(page, 1);
      await ask(house, "POST", `/dispatches/${task.dispatch}/transitions`, {
        to: "cancelled",
        reason: "another unit is nearer",
      });
      await context.setOffline(false);
      const untaken = page.getByTestId("untaken");
      await untaken.waitFor({ timeout: TIMEOUT_MS });
      check(
        /Accepted the task.*recalled/s.test(await untaken.innerText()),
        await untaken.innerText(),
      );
      await untaken.getByRole("button").click();
      await untaken.waitFor({ state: "detached", timeout: TIMEOUT_MS });
      await page.getByTestId("idle").waitFor({ timeout: TIMEOUT_MS });
    } finally {
      await context.close();
    }
  },

  "a call for help is held, may be taken back, outlives the network, and is loud until the post clears it":
    async (house) => {
      const task = await sent(house);
      const context = await phone(house);
      try {
        const page = await open(context, house, "?lang=en");
        await choose(page, task.unit);
        const band = (stands: string) =>
          page
            .locator(`[data-testid="mayday"][data-stands="${stands}"]`)
            .waitFor({ timeout: TIMEOUT_MS });
        await hold(page, 500);
        await page
          .getByText("Too short")
          .first()
          .waitFor({ timeout: TIMEOUT_MS });
        await waiting(page, 0);

        await hold(page, 2_200);
        await band("grace");
        await page.getByTestId("mayday-cancel").click();
        await page
          .getByTestId("mayday")
          .waitFor({ state: "detached", timeout: TIMEOUT_MS });
        check(
          (await unitOf(house, task.unit))["panic"] === null,
          "a call that was taken back was made",
        );

        // By key, without a network, behind a photo that cannot go either.
        await context.setOffline(true);
        await page.getByTestId("sos").focus();
        await page.keyboard.down("Space");
        await page
          .getByRole("button", { name: "Release: call for help" })
          .waitFor({ timeout: TIMEOUT_MS });
        await page.keyboard.up("Space");
        await band("grace");
        await band("unsent");
        const { violations } = await new AxeBuilder({ page }).analyze();
        check(
          violations.length === 0,
          violations.map((v) => `${v.id} ${v.nodes[0]?.html ?? ""}`).join("; "),
        );
        await waiting(page, 1);
        await context.setOffline(false);
        await band("told");
        const unit = await unitOf(house, task.unit);
        check(unit["panic"] !== null, "the post has not heard it");
        const { items } = await ask<{ items: Doc[] }>(house, "GET", "/alarms");
        const alarm = items.find((a) =>
          String(a["source"]).startsWith("house:panic"),
        );
        check(alarm?.["priority"] === "P1", `alarm ${JSON.stringify(alarm)}`);
        await page.reload();
        await band("told");
        check(
          (await page.getByTestId("sos").count()) === 0,
          "it can be called twice",
        );

        // A named person at the post says how the crew is.
        const { link } = await ask<{ link: string }>(house, "POST", "/users", {
          login: `dewi-${Date.now()}`,
          name: "Dewi",
          grants: [{ role: "supervisor" }],
        });
        const dewi = await enters(house, link, true);
        const cleared = await dewi.context.request.delete(
          `${house.base}/api/v1/units/${task.unit}/panic?reason=semua+selamat`,
          { headers: { origin: house.base } },
        );
        check(
          cleared.ok(),
          `clear: ${cleared.status()} ${await cleared.text()}`,
        );
        await dewi.context.close();
        await page.getByTestId("mayday-over").waitFor({ timeout: TIMEOUT_MS });
        await page.getByTestId("mayday-over").getByRole("button").click();
        await page.getByTestId("sos").waitFor({ timeout: TIMEOUT_MS });
      } finally {
        await context.close();
        await ends(house, task.dispatch);
      }
    },
};

export default spec;
