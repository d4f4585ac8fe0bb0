// What every spec needs: a signed-in page that notes what it must not do, and the ways into the house.
import type { Browser, Page } from "playwright-core";

export type Doc = Record<string, unknown>;

/** A phone in the hand, CSS pixels. */
export const PHONE = { width: 390, height: 844 };

/** A picture of one dot (PNG). */
export const DOT = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
  "base64",
);

export interface House {
  browser: Browser;
  base: string;
  token: string;
}

export type Spec = Record<string, (house: House) => Promise<void>>;

export interface Visit {
  page: Page;
  /** Content-Security-Policy reports and uncaught errors. */
  faults: string[];
  /** Requests to any other host. */
  strangers: string[];
  close: () => Promise<void>;
}

export async function push(
  house: House,
  feed: string,
  records: object[],
): Promise<void> {
  const answer = await fetch(`${house.base}/api/v1/ingest/${feed}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${house.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(records),
  });
  if (answer.status !== 202) {
    throw new Error(`push to ${feed}: ${answer.status} ${await answer.text()}`);
  }
}

export interface Read {
  thing: string;
  property: string;
  value: number;
  lng: number;
  lat: number;
}

export const reading = (read: Read): object => ({
  unit: "m",
  at: new Date().toISOString(),
  ...read,
});

/** Asks below /api/v1 as the administrator; gives the answer, whatever its status. */
export async function answer(
  house: House,
  method: string,
  path: string,
  body?: object,
  more: Record<string, string> = {},
): Promise<{ status: number; body: Doc; said: string }> {
  const got = await fetch(`${house.base}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${house.token}`,
      "content-type": "application/json",
      ...more,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const said = await got.text();
  return { status: got.status, body: JSON.parse(said || "{}") as Doc, said };
}

/** As answer, of what must succeed. */
export async function ask<T = Doc>(
  house: House,
  method: string,
  path: string,
  body?: object,
  more: Record<string, string> = {},
): Promise<T> {
  const got = await answer(house, method, path, body, more);
  check(got.status < 400, `${method} ${path}: ${got.status} ${got.said}`);
  return got.body as T;
}

/** Asks again and again until there is something, and gives it; why: what is missing where there never is. */
export async function until<T>(
  what: () => Promise<T | undefined | false>,
  why: string,
  ms = 15_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (Date.now() > end) throw new Error(why);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Opens a page as somebody who may see the wall. */
export async function visit(house: House, path: string): Promise<Visit> {
  const context = await house.browser.newContext({
    viewport: { width: 1280, height: 720 },
    reducedMotion: "reduce",
  });
  const signedIn = await context.request.post(`${house.base}/api/v1/session`, {
    headers: {
      authorization: `Bearer ${house.token}`,
      origin: house.base,
      "content-type": "application/json",
    },
    data: {},
  });
  if (!signedIn.ok()) {
    throw new Error(`sign in: ${signedIn.status()} ${await signedIn.text()}`);
  }
  const page = await context.newPage();
  const faults: string[] = [];
  const strangers: string[] = [];
  const host = new URL(house.base).host;
  page.on("pageerror", (fault) => faults.push(fault.message));
  page.on("console", (line) => {
    if (
      /Content Security Policy|TrustedScript|Trusted Type/i.test(line.text())
    ) {
      faults.push(line.text());
    }
  });
  // What the policy refuses is an event of the page as well; the browser's own words come second.
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(
        `Content Security Policy: ${event.effectiveDirective} refused ${event.blockedURI} on ${location.pathname}`,
      );
    });
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.host !== host) {
      strangers.push(request.url());
    }
  });
  await page.goto(house.base + path);
  return {
    page,
    faults,
    strangers,
    close: () => context.close(),
  };
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Waits for the wall to be live. */
export async function live(page: Page): Promise<void> {
  await page.locator('[data-phase="live"]').waitFor({ timeout: 20_000 });
}

/** A gauge that tells, and a flood beside it that nobody can miss. */
export async function flooded(
  house: House,
  at: { lng: number; lat: number },
): Promise<void> {
  await push(house, "awlr", [
    reading({
      thing: `banjir-${Date.now()}`,
      property: "water_level",
      value: 3.4,
      ...at,
    }),
  ]);
  await ask(house, "POST", "/incidents", {
    type: "flood",
    severity: "Extreme",
    title: "Banjir, Pasar Sumani",
    ...at,
  });
}

/** A call of somebody who says their name; the report's id. */
export async function called(house: House): Promise<string> {
  const { id } = await ask<{ id: string }>(
    house,
    "POST",
    "/reports",
    {
      channel: "call",
      text: "Air masuk rumah di Muaro Paneh",
      lng: 100.63,
      lat: -0.83,
      reporter: { name: "Siti Aminah", phone: "081266778899" },
    },
    { "idempotency-key": `call-${Date.now()}-${Math.random()}` },
  );
  check(Boolean(id), "the report has no id");
  return id;
}

/** Presses a crew's next step and waits until the house has it: the page shows a step before that. */
export async function stepped(page: Page): Promise<void> {
  const heard = page.waitForResponse(
    (r) => r.request().method() === "POST" && r.url().endsWith("/transitions"),
  );
  await page.getByTestId("next").click();
  check((await heard).ok(), "the house did not take the step");
}
