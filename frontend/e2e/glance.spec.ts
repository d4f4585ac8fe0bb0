// Every scene of the wall as somebody reads it: nothing serious by axe, contrast of 7 to 1, nothing cut off; and what visitors may not read
// reaches neither their picture nor their map.
import { AxeBuilder } from "@axe-core/playwright";
import { ask, check, flooded, live, visit, type Spec } from "./house";
import { faultsOf } from "./layout";

const LNG = 100.63;
const LAT = -0.83;
const SECRET = "rahasia-keluarga";

const spec: Spec = {
  async "every scene is read by everybody: axe finds nothing serious, contrast is 7 to 1, and nothing is cut off without a sign"(
    house,
  ) {
    await flooded(house, { lng: LNG, lat: LAT });
    const { items } = await ask<{ items: { id: string }[] }>(
      house,
      "GET",
      "/scenes",
    );
    const found: string[] = [];
    const seen = await visit(house, "/login");
    const { page } = seen;
    for (const [i, { id }] of items.entries()) {
      const lang = i % 2 === 0 ? "id" : "en";
      await page.goto(`${house.base}/wall?motion=off&scene=${id}&lang=${lang}`);
      await live(page);
      await page
        .locator(`[data-testid="wall"][data-scene="${id}"]`)
        .waitFor({ timeout: 20_000 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      for (const v of violations)
        if (v.impact === "serious" || v.impact === "critical")
          found.push(
            `${id}: ${v.id}: ${v.nodes
              .slice(0, 3)
              .map((n) => n.html.slice(0, 160))
              .join("\n  ")}`,
          );
      const faults = await faultsOf(page, {
        roots: "header, aside, footer",
        wall: 7,
        desk: 7,
      });
      found.push(...faults.map((f) => `${id}: ${f}`));
    }
    await seen.close();
    check(found.length === 0, found.join("\n"));
  },

  async "visitors read nobody's words, see no incident of a type that is left out, and their map asks for no unit; no night is dark over what nobody has"(
    house,
  ) {
    for (const [type, title] of [
      ["flood", `Banjir di rumah ${SECRET}`],
      ["medical", `Serangan jantung ${SECRET}`],
    ])
      await ask(house, "POST", "/incidents", {
        type,
        severity: "Extreme",
        title,
        lng: LNG + 0.05,
        lat: LAT,
      });
    const seen = await visit(house, "/login");
    const { page } = seen;
    const asked: string[][] = [];
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        const text = payload.toString();
        if (!text.includes('"layers"')) return;
        const { layers } = JSON.parse(text) as { layers: string[] };
        asked.push(layers);
      });
    });
    await page.goto(`${house.base}/wall?motion=off&scene=visitor&lang=id`);
    await live(page);
    await page
      .locator('[data-testid="wall"][data-scene="visitor"]')
      .waitFor({ timeout: 20_000 });
    // What visitors may see is there: the silence below means something.
    await page
      .locator('[data-testid^="mark-"]')
      .first()
      .waitFor({ timeout: 20_000 });
    const words = await page.evaluate(() => document.documentElement.outerHTML);
    check(
      !words.includes(SECRET),
      "a title that somebody typed is on the page",
    );
    check(
      !/gawat darurat medis/i.test(words),
      "an incident of a type that is left out is on the page",
    );
    check(asked.length > 0, "the page asked for no layers");
    const open = ["bus", "river_gauge", "rain_gauge", "lake_buoy"];
    check(
      open.every((kind) => asked.at(-1)?.includes(kind)),
      `the scene's layers are not asked for: ${asked.at(-1)?.join(" ")}`,
    );
    for (const layers of asked)
      for (const unit of ["*", "ambulance", "phone", "car", "camera"])
        check(!layers.includes(unit), `asked for ${layers.join(" ")}`);
    // By night too, what nobody has is as bright as by day.
    await page.goto(`${house.base}/wall?motion=off&scene=night&lang=id`);
    await live(page);
    await page
      .locator('[data-scene="night"] [data-testid^="mark-"]')
      .first()
      .waitFor({ timeout: 20_000 });
    check(
      (await page.getByTestId("dim").count()) === 0,
      "an Extreme that nobody has taken is dimmed",
    );
    await seen.close();
  },
};

export default spec;
