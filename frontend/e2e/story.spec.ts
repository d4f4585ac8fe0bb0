// One incident's whole story through the real screens: a sensor and a call, a unit whose phone loses the network, closure by proof, and the citizen's view.
import {
  ask,
  check,
  DOT,
  live,
  PHONE,
  push,
  reading,
  stepped,
  until,
  visit,
  type House,
  type Spec,
} from "./house";
import { enters } from "./persons";

const LNG = 100.63;
const LAT = -0.83;
const UNIT = "bpbd/trc-1";

const level = (thing: string, value: number) =>
  reading({ thing, property: "water_level", value, lng: LNG, lat: LAT });

/** An account by its invitation, in a browser of its own. */
async function person(
  house: House,
  name: string,
  grant: object,
  second: boolean,
  more: object = {},
  viewport?: { width: number; height: number },
) {
  const login = `${name.toLowerCase()}-${Date.now()}`;
  const made = await ask(house, "POST", "/users", {
    login,
    name,
    grants: [grant],
    ...more,
  });
  return enters(house, made["link"] as string, second, viewport);
}

const spec: Spec = {
  async "a flood, from a sensor and a call to closure by proof and the citizen's view"(
    house,
  ) {
    const thing = `cerita-${Date.now()}`;
    await push(house, "awlr", [level(thing, 3.4)]);
    let id = "";
    await until(async () => {
      const { items } = await ask<{
        items: { id: string; evidence: { ref: string }[] }[];
      }>(house, "GET", "/incidents?status=open");
      id =
        items.find((i) => i.evidence.some((e) => e.ref.includes(thing)))?.id ??
        "";
      return id !== "";
    }, "the rule opens no incident");
    const incident = () => ask(house, "GET", `/incidents/${id}`);

    // A call about the same: the hint is there, one key joins it, and its ticket is read out.
    const desk = await visit(house, `/console?incident=${id}&lang=en`);
    const { page } = desk;
    await live(page);
    await page.getByTestId("detail").waitFor();
    await page.keyboard.press("i");
    await page.getByTestId("int-place").fill(`${LAT}, ${LNG}`);
    await page.getByTestId("int-text").fill("banjir, air masuk rumah");
    await page.getByTestId("hint").first().waitFor({ timeout: 15_000 });
    await page.keyboard.press("F4");
    await page.getByTestId("int-done").waitFor({ timeout: 15_000 });
    const told = (await incident())["evidence"] as {
      kind: string;
      ref: string;
    }[];
    const report = told.find((e) => e.kind === "report")?.ref ?? "";
    check(report !== "", "the call is no evidence of the incident");
    const { ticket } = await ask(
      house,
      "POST",
      `/reports/${encodeURIComponent(report)}/ticket`,
    );

    // A unit is sent from the desk.
    await page.goto(`${house.base}/console?incident=${id}&lang=en`);
    await live(page);
    await page.getByTestId("act-acknowledged").click();
    await page.getByTestId(`send-${UNIT}`).click({ timeout: 15_000 });
    await page
      .locator(`[data-testid="dispatch-${UNIT}"][data-status="offered"]`)
      .waitFor({ timeout: 15_000 });

    // Its crew accepts; then the network goes, and the work does not wait for it.
    const crew = await person(
      house,
      "Andi",
      { role: "field", agency: "bpbd" },
      false,
      { unit: UNIT },
      PHONE,
    );
    await crew.page.goto(`${house.base}/field?lang=en`);
    await crew.page.getByTestId("task").waitFor({ timeout: 15_000 });
    await crew.page.evaluate(async () => navigator.serviceWorker.ready);
    await stepped(crew.page);
    const waits = (n: number) =>
      crew.page
        .locator(`[data-testid="outbox"][data-waiting="${n}"]`)
        .waitFor({ timeout: 15_000 });
    await waits(0);
    await crew.context.setOffline(true);
    await crew.page.getByRole("button", { name: "Set out" }).click();
    await crew.page.getByRole("button", { name: "On scene" }).click();
    await crew.page.getByTestId("camera").setInputFiles({
      name: "air.png",
      mimeType: "image/png",
      buffer: DOT,
    });
    await waits(3);
    await crew.context.setOffline(false);
    await waits(0);
    await page
      .locator(`[data-testid="dispatch-${UNIT}"][data-status="on_scene"]`)
      .waitFor({ timeout: 15_000 });

    // The water falls, the desk hears by radio that the crew is done, and says what it was.
    await push(house, "awlr", [level(thing, 2)]);
    await page.getByTestId("dispatch-next").click();
    await page
      .locator(`[data-testid="dispatch-${UNIT}"][data-status="done"]`)
      .waitFor({ timeout: 15_000 });
    await page.getByTestId("act-resolved").click();
    await page.getByTestId("outcome").fill("air surut, dua rumah dibersihkan");
    await page.getByTestId("act-send").click();
    await page.getByTestId("lacks").waitFor();
    await page.getByTestId("cause").fill("hujan lebat di hulu");
    await page.getByTestId("no-victims").click();
    await page.getByTestId("act-send").click();
    await page.getByTestId("separation").waitFor({ timeout: 15_000 });

    // Somebody else closes it, by what shows that it is over.
    const rina = await person(house, "Rina", { role: "supervisor" }, true);
    await rina.page.goto(`${house.base}/console?incident=${id}&lang=en`);
    await live(rina.page);
    await rina.page.getByTestId("proof").waitFor({ timeout: 15_000 });
    await rina.page.getByTestId("act-closed").click();
    await rina.page.getByTestId("act-send").click();
    await until(
      async () => (await incident())["status"] === "closed",
      "it is not closed by its proof",
    );
    const over = await incident();
    const kinds = (over["proof"] as { have: { kind: string }[] }).have.map(
      (p) => p.kind,
    );
    check(
      kinds.includes("photo") && kinds.includes("sensor_normal"),
      `proof: ${kinds.join(", ")}`,
    );

    // Whoever called sees the whole way, no names, and may say that it is not done.
    const citizen = await house.browser.newContext({ viewport: PHONE });
    const home = await citizen.newPage();
    await home.goto(
      `${house.base}/public?lang=en&ticket=${String(ticket).toLowerCase()}`,
    );
    for (const step of ["received", "under_way", "on_scene", "done", "closed"])
      await home.getByTestId(`step-${step}`).waitFor({ timeout: 15_000 });
    const said = await home.getByTestId("public").innerText();
    check(/photo/i.test(said), `the proof is not told: ${said}`);
    check(!/Andi|Rina|dua rumah/.test(said), `it tells names: ${said}`);
    await home.getByTestId("ticket-proven").waitFor({ timeout: 15_000 });
    const proofs = home.locator('[data-testid^="proof-"]');
    const acts = await proofs.count();
    check(
      acts >= 3 &&
        acts ===
          (await proofs.and(home.locator('[data-proven="true"]')).count()),
      `not every act is proved from the log: ${await home.getByTestId("ticket-proofs").innerText()}`,
    );
    await home.getByTestId("ticket-dispute-text").fill("Air masih di dapur");
    await home.getByTestId("ticket-dispute").click();
    await home.getByTestId("ticket-disputed").waitFor({ timeout: 15_000 });
    await rina.page.getByTestId("disputed").waitFor({ timeout: 15_000 });
    check(desk.faults.length === 0, desk.faults.join("\n"));
    await desk.close();
  },
};

export default spec;
