// A server of its own, for it is stopped and started again below a wall that stays open.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answer,
  check,
  live,
  push,
  reading,
  visit,
  type House,
  type Spec,
} from "./house";
import { end, serve } from "./server";

const CONFIG = "../deploy/e2e.yaml";

const galodo = (house: House, thing: string) =>
  push(house, "awlr", [
    reading({
      thing,
      property: "debris_flow",
      value: 1,
      lng: 100.66,
      lat: -0.862,
    }),
  ]);

async function restarted(house: House, signal: NodeJS.Signals): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "restart-"));
  const first = await serve(house, CONFIG, data);
  const { base } = first;
  let { server } = first;
  const own = { ...house, base };
  try {
    const visited = await visit(own, "/wall");
    const { page } = visited;
    await live(page);
    // A page that loads itself anew forgets this.
    await page.evaluate(() => {
      document.documentElement.dataset["stood"] = "true";
    });
    await galodo(own, "sebelum");
    const marks = page.locator('[data-testid^="mark-SLK-"]');
    await marks.first().waitFor({ timeout: 20_000 });
    const before = await marks.evaluateAll((all) =>
      all.map((one) => one.getAttribute("data-testid")),
    );

    await end(server, signal);
    const lost = page.getByTestId("lost");
    await lost.waitFor({ timeout: 30_000 });
    check(
      (await page.getByTestId("wall").getAttribute("class"))
        ?.split(" ")
        .includes("lost") === true,
      "the whole wall looks lost, not its banner alone",
    );
    check(
      (await page.getByTestId("clock").count()) === 0,
      "no clock of the server runs while there is none",
    );
    check(
      (await marks.count()) === before.length,
      "what was open stays in sight while lost",
    );

    ({ server } = await serve(house, CONFIG, data, new URL(base).host));
    await live(page);
    await lost.waitFor({ state: "detached", timeout: 20_000 });
    for (const mark of before)
      await page.getByTestId(mark ?? "").waitFor({ timeout: 20_000 });
    const made = await answer(own, "POST", "/incidents", {
      type: "flood",
      severity: "Extreme",
      title: "Banjir, sesudah mulai lagi",
      lng: 100.72,
      lat: -0.93,
    });
    check(made.status < 300, `raise: ${made.status} ${made.said}`);
    const { number } = (made.body["incident"] ?? made.body) as {
      number: string;
    };
    await page.getByTestId(`mark-${number}`).waitFor({ timeout: 20_000 });
    await page
      .getByTestId("focus")
      .getByText("sesudah mulai lagi")
      .first()
      .waitFor({ timeout: 20_000 });
    check(
      (await page.locator("html").getAttribute("data-stood")) === "true",
      "the page was not loaded anew",
    );
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  } finally {
    await end(server, "SIGKILL");
    rmSync(data, { recursive: true, force: true });
  }
}

const spec: Spec = {
  async "a wall outlives a server that is stopped and started again"(house) {
    await restarted(house, "SIGTERM");
  },

  async "a wall outlives a server that is killed and started again"(house) {
    await restarted(house, "SIGKILL");
  },
};

export default spec;
