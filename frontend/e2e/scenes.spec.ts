import { check, flooded, live, push, reading, visit, type Spec } from "./house";
import type { Page } from "playwright-core";

const GALODO = {
  property: "debris_flow",
  value: 1,
  lng: 100.66,
  lat: -0.862,
};

/** The wall has come to rest: its map is drawn. */
const drawn = (page: Page) =>
  page
    .locator('[data-testid="map"][data-idle="true"]')
    .waitFor({ timeout: 60_000 });

const scene = (page: Page) =>
  page.getByTestId("wall").getAttribute("data-scene");

/** Takes the picture of the map away, as a driver does; gives it back after so long, or never. */
const loseMap = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(
      '[data-testid="map"] canvas',
    );
    canvas
      ?.getContext("webgl2")
      ?.getExtension("WEBGL_lose_context")
      ?.loseContext();
    return canvas !== null;
  });

const spec: Spec = {
  async "every scene of the house is drawn, in both languages, with nothing cut at its edges"(
    house,
  ) {
    const answer = await fetch(`${house.base}/api/v1/scenes`, {
      headers: { Authorization: `Bearer ${house.token}` },
    });
    const { items } = (await answer.json()) as {
      items: { id: string; name: Record<string, string> }[];
    };
    check(items.length === 10, `ten scenes, not ${items.length}`);
    for (const [i, { id }] of items.entries()) {
      const lang = i % 2 === 0 ? "id" : "en";
      const visited = await visit(
        house,
        `/wall?motion=off&scene=${id}&lang=${lang}`,
      );
      const { page } = visited;
      await live(page);
      await page.waitForFunction(
        (want) =>
          document
            .querySelector('[data-testid="wall"]')
            ?.getAttribute("data-scene") === want,
        id,
        { timeout: 20_000 },
      );
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - innerWidth,
      );
      check(wide <= 0, `${id}: ${wide} px beside the screen`);
      for (const edge of ["footer", "clock"])
        check(
          await page.getByTestId(edge).isVisible(),
          `${id}: the ${edge} is there`,
        );
      await visited.close();
    }
  },

  async "upright, a briefing shows each of its figures, and the controls lie over none of its tiles"(
    house,
  ) {
    await flooded(house, { lng: GALODO.lng, lat: GALODO.lat });
    const visited = await visit(house, "/login");
    const { page } = visited;
    await page.setViewportSize({ width: 1080, height: 1920 });
    await page.goto(`${house.base}/wall?motion=off&scene=briefing&lang=id`);
    await live(page);
    await page.getByTestId("tile-figures").locator("li").nth(3).waitFor();
    const lies = await page.evaluate(() => {
      const [controls] = document.querySelectorAll('[data-testid="controls"]');
      const at = controls?.getBoundingClientRect();
      return [...document.querySelectorAll("aside section")]
        .filter((tile) => {
          const box = tile.getBoundingClientRect();
          return !at || (box.top < at.bottom && at.top < box.bottom);
        })
        .map((tile) => tile.getAttribute("aria-label"));
    });
    check(lies.length === 0, `the controls lie over ${lies.join(", ")}`);
    await visited.close();
  },

  async "a map whose picture is taken away is made anew, and the list lives on"(
    house,
  ) {
    const visited = await visit(house, "/wall?motion=off");
    const { page } = visited;
    await live(page);
    await drawn(page);
    check(await loseMap(page), "there was a map");
    await page.waitForFunction(
      () => {
        const canvas = document.querySelector<HTMLCanvasElement>(
          '[data-testid="map"] canvas',
        );
        return canvas?.getContext("webgl2")?.isContextLost() === false;
      },
      null,
      { timeout: 20_000 },
    );
    await drawn(page);
    await push(house, "awlr", [
      reading({ ...GALODO, thing: `galodo-map-${Date.now()}` }),
    ]);
    await page
      .getByTestId("focus")
      .getByText("Galodo")
      .first()
      .waitFor({ timeout: 10_000 });
    await visited.close();
  },

  async "a screen that cannot draw says so in words, and still tells what is open"(
    house,
  ) {
    const visited = await visit(house, "/wall?motion=off");
    const { page } = visited;
    await page.addInitScript(() => {
      HTMLCanvasElement.prototype.getContext = () => null;
    });
    await page.reload();
    await live(page);
    await page.getByTestId("map-gone").waitFor({ timeout: 30_000 });
    await push(house, "awlr", [
      reading({ ...GALODO, thing: `galodo-blind-${Date.now()}` }),
    ]);
    await page
      .getByTestId("focus")
      .getByText("Galodo")
      .first()
      .waitFor({ timeout: 10_000 });
    await visited.close();
  },

  async "two screens of one picture show its two halves, and change together"(
    house,
  ) {
    const visits = await Promise.all(
      [1, 2].map((n) =>
        visit(house, `/wall?motion=off&screen=${String(n)}/2&scene=flood`),
      ),
    );
    const [left, right] = visits.map((v) => v.page);
    check(left !== undefined && right !== undefined, "two screens");
    if (!left || !right) return;
    await Promise.all([live(left), live(right)]);
    const clock = async (page: Page) => page.getByTestId("clock").boundingBox();
    const onLeft = await clock(left);
    const onRight = await clock(right);
    const width = left.viewportSize()?.width ?? 0;
    check((onLeft?.x ?? 0) >= width, "the clock lies beyond the left screen");
    check(
      (onRight?.x ?? -1) >= 0 && (onRight?.x ?? width) < width,
      "and on the right one",
    );
    check(
      Math.abs((onLeft?.x ?? 0) - (onRight?.x ?? 0) - width) < 2,
      "one picture, side by side",
    );
    check(
      (await scene(left)) === "flood" && (await scene(right)) === "flood",
      "the same scene",
    );
    for (const v of visits) await v.close();
  },

  async "a wall that slept catches up, and what came meanwhile is there once"(
    house,
  ) {
    const visited = await visit(house, "/wall?motion=off");
    const { page } = visited;
    await live(page);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
    const thing = `galodo-slept-${Date.now()}`;
    await push(house, "awlr", [reading({ ...GALODO, thing, lng: 100.9 })]);
    await new Promise((done) => setTimeout(done, 6_000));
    await cdp.send("Page.setWebLifecycleState", { state: "active" });
    await live(page);
    await page.getByText("Galodo").first().waitFor({ timeout: 15_000 });
    const marks = await page
      .locator('[data-testid^="mark-SLK-"]')
      .evaluateAll((all) => all.map((m) => m.getAttribute("data-testid")));
    check(new Set(marks).size === marks.length, "no mark is drawn twice");
    await visited.close();
  },

  async "tells how old readings are when they are painted, by p50, p95 and p99"(
    house,
  ) {
    const visited = await visit(house, "/wall?motion=off");
    const { page } = visited;
    await live(page);
    // A reading whose time is now.
    const glass = page.getByTestId("glass");
    await push(house, "awlr", [
      reading({
        thing: "glass",
        property: "water_level",
        value: 1,
        lng: 100.7,
        lat: -0.9,
      }),
    ]);
    await glass.waitFor({ timeout: 20_000 });
    check(
      /p50 .*p95 .*p99/.test((await glass.innerText()).replace(/\s+/g, " ")),
      "p50, p95 and p99 are told",
    );
    await visited.close();
  },
};

export default spec;
