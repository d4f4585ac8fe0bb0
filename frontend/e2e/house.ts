// What every spec needs: a signed-in page that notes what it must not do, and the ways into the house.
import type { Browser, Page } from "playwright-core";

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
