// A crew's phone on the real binary: a task is taken, the network goes, the page is killed and opened again without it, and the house hears each act once.
import { AxeBuilder } from "@axe-core/playwright";
import type { BrowserContext, Page } from "playwright-core";
import { check, type House, type Spec } from "./house";

const TIMEOUT_MS = 8_000;
const PHONE = { width: 390, height: 844 };

async function ask<T>(
  house: House,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const answer = await fetch(`${house.base}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${house.token}`,
      "content-type": "application/json",
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const said = (await answer.json()) as T;
  check(answer.ok, `${method} ${path}: ${answer.status}`);
  return said;
}

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

/** A picture of one black dot (PNG). */
const DOT = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
  "base64",
);

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

async function phone(house: House): Promise<BrowserContext> {
  const context = await house.browser.newContext({
    viewport: PHONE,
    hasTouch: true,
    reducedMotion: "reduce",
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

const spec: Spec = {
  "acts outlive the network and the page, and the house hears each of them once":
    async (house) => {
      const task = await sent(house);
      const context = await phone(house);
      try {
        let page = await open(context, house, "?lang=en&theme=light");
        await choose(page, task.unit);
        await page.evaluate(async () => navigator.serviceWorker.ready);
        await page.getByTestId("next").click();
        await waiting(page, 0);
        await page.getByRole("button", { name: "Set out" }).waitFor();

        await context.setOffline(true);
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
};

export default spec;
