// From a reading to what a person does about it: rule, alarm, acknowledgement, shelf; a plan that holds; a level that is confirmed; a suggestion.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import {
  answer,
  ask,
  check,
  live,
  push,
  reading,
  until,
  visit,
  type Doc,
  type House,
  type Spec,
} from "./house";

const items = async (house: House, path: string): Promise<Doc[]> =>
  (await ask(house, "GET", path))["items"] as Doc[];

/** Ground of ours where nothing else of these tests lies: what happens near by would be told as a repeat. */
const place = () => ({
  lng: 100.72 + Math.random() * 0.12,
  lat: -0.92 - Math.random() * 0.16,
});

let n = 0;
const fresh = (of: string) => `${of}-${Date.now().toString(36)}-${++n}`;

/** Lets a rule fire on a new sensor; gives its id. */
async function fire(
  house: House,
  property: string,
  value: number,
  at: { lng: number; lat: number },
): Promise<string> {
  const thing = fresh("arti");
  await push(house, "awlr", [
    { ...reading({ thing, property, value, ...at }), name: thing },
  ]);
  return `awlr:${thing}`;
}

/** The alarm of a sensor. */
const alarmOf = (house: House, thing: string): Promise<Doc> =>
  until(
    async () => (await items(house, `/alarms?thing=${thing}`))[0],
    `no alarm of ${thing}`,
  );

async function desk(house: House): Promise<Awaited<ReturnType<typeof visit>>> {
  const visited = await visit(house, "/console?lang=en");
  await live(visited.page);
  await visited.page.getByTestId("alarm-bar").waitFor();
  return visited;
}

async function accessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .include(where)
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  check(
    violations.length === 0,
    `${where}: ${violations.map((v) => `${v.id} ${v.nodes[0]?.html}`).join("\n")}`,
  );
}

const spec: Spec = {
  async "a rule fires: P1 stands above every list until its alarm is acknowledged by keyboard"(
    house,
  ) {
    const visited = await desk(house);
    const { page } = visited;
    const thing = await fire(house, "debris_flow", 1, place());
    const alarm = await alarmOf(house, thing);
    const id = String(alarm["id"]);
    check(alarm["priority"] === "P1", `it is ${String(alarm["priority"])}`);
    await page.getByTestId(`grave-${id}`).click();
    await page.getByTestId("alarm-more").waitFor();
    check(
      (await page.getByTestId("pile-queue").getAttribute("aria-pressed")) ===
        "true",
      "the queue is not what was opened",
    );
    await accessible(page, '[data-testid="alarms"]');
    await page.getByTestId("alarm-more").click();
    await page.keyboard.press("a");
    await until(
      async () =>
        (await ask(house, "GET", `/alarms/${id}`))["state"] === "acknowledged",
      "a did not acknowledge the alarm",
    );
    await page.getByTestId(`grave-${id}`).waitFor({ state: "detached" });
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },

  async "shelving asks for a reason and is counted; the alarm comes back"(
    house,
  ) {
    const visited = await desk(house);
    const { page } = visited;
    const thing = await fire(house, "water_level", 3.4, place());
    const id = String((await alarmOf(house, thing))["id"]);
    await page.keyboard.press("q");
    await page.getByTestId("alarm-search").fill(thing.slice(5));
    await page.locator(`[data-id="${id}"]`).click();
    await page.getByTestId("alarm-shelve").click();
    await page.getByTestId("shelve-send").click();
    await page.getByTestId("shelve").getByRole("alert").waitFor();
    await page.getByTestId("shelve-reason").fill("Sensor works");
    await page.getByTestId("shelve-send").click();
    await page.getByTestId("shelve").waitFor({ state: "detached" });
    const shelved = await ask(house, "GET", `/alarms/${id}`);
    check(shelved["state"] === "shelved", `it is ${String(shelved["state"])}`);
    await page.getByTestId("pile-shelved").click();
    await page.locator(`[data-id="${id}"]`).waitFor();
    if (!(await page.getByTestId("alarm-unshelve").isVisible()))
      await page.locator(`[data-id="${id}"]`).click();
    await page.getByTestId("alarm-unshelve").click();
    await until(
      async () =>
        (await ask(house, "GET", `/alarms/${id}`))["state"] === "raised",
      "it did not return to the queue",
    );
    await visited.close();
  },

  async "a plan that is drawn from coordinates holds an alarm, and says so"(
    house,
  ) {
    const visited = await desk(house);
    const { page } = visited;
    const title = fresh("Works");
    await page.keyboard.press("p");
    await page.getByTestId("new-plan").click();
    await page.getByTestId("plan-send").click();
    await page.getByTestId("plan-lacks").waitFor();
    await page.getByTestId("plan-title").fill(title);
    await page
      .getByTestId("plan-paste")
      .fill("-0.7000, 100.5600\n-0.7000 100.5700");
    await page.getByTestId("plan-send").click();
    await page.getByTestId("plan-form").waitFor({ state: "detached" });
    const plan = await until(
      async () =>
        (await items(house, "/plans")).find((p) => p["title"] === title),
      "the plan was not announced",
    );
    const thing = await fire(house, "water_level", 3.4, {
      lng: 100.565,
      lat: -0.7,
    });
    const alarm = await until(
      async () =>
        (await items(house, `/alarms?thing=${thing}`)).find(
          (a) => a["withheld"] === "plan",
        ),
      "the plan does not hold the alarm",
    );
    await page.getByTestId(`held-${String(plan["id"])}`).click();
    await page.locator(`[data-id="${String(alarm["id"])}"]`).click();
    const why = await page.getByTestId("alarm-why").innerText();
    check(why.includes(title), `why it is held: ${why}`);
    await visited.close();
  },

  async "a proposed level is confirmed on the desk, and only then said on the wall"(
    house,
  ) {
    const visited = await desk(house);
    const { page } = visited;
    await page.keyboard.press("s");
    await page.getByTestId("new-statement").click();
    await page.getByTestId("statement-scale").selectOption("pvmbg");
    await page.getByTestId("statement-step").selectOption("III");
    await page.getByTestId("statement-subject").fill("gunung-talang");
    await page.getByTestId("statement-source").fill("PVMBG");
    await page.getByTestId("statement-send").click();
    const proposal = page.getByTestId("proposal-volcano");
    await proposal.waitFor({ timeout: 20_000 });
    const wall = await visit(house, "/wall?motion=off&lang=en");
    await live(wall.page);
    const level = wall.page.getByTestId("level");
    await level.waitFor();
    check(
      !/SIAGA|WATCH/.test(await level.innerText()),
      "the wall says what is only proposed",
    );
    await accessible(page, '[data-testid="status-panel"]');
    await page.getByTestId("confirm-volcano").click();
    await proposal.waitFor({ state: "detached" });
    await until(
      async () => /3\s*WATCH[\s\S]*Volcano/i.test(await level.innerText()),
      "the wall does not say the confirmed level with its hazard",
    );
    await page.getByTestId("revert-volcano").click();
    await page.getByTestId("level-note").fill("Entered for an exercise");
    await page.getByTestId("level-send").click();
    await until(
      async () => !/3\s*WATCH/i.test(await level.innerText()),
      "the level did not go back",
    );
    await wall.close();
    await visited.close();
  },

  async "a rule is changed, rolled back to what it was, and is not overwritten by whoever read it before"(
    house,
  ) {
    const id = fresh("aturan");
    const put = (value: string, version: number) =>
      answer(house, "PUT", `/rules/${id}`, {
        config: {
          when: `obs.property == "water_level" && obs.value > ${value}`,
          consequence: "Ladang terendam",
          response: "Hubungi juru pintu",
          act_within: "30m",
          owner: "pupr",
          review: "2030-06-01",
          alert: {
            event: "Muka air",
            category: "Met",
            severity: "Minor",
            urgency: "Expected",
            certainty: "Observed",
          },
        },
        version,
      });
    // The property has to be known: a rule on another is refused.
    await fire(house, "water_level", 1, place());
    const made = await put("91.5", 0);
    check(made.status === 200, JSON.stringify(made.body));
    const visited = await visit(house, "/admin?page=rules&lang=en");
    const { page } = visited;
    const when = async () =>
      String((await ask(house, "GET", `/rules/${id}`))["when"]);
    await page.getByTestId(`rule-${id}`).click();
    const text = page.getByTestId("rule-yaml");
    await text.waitFor();
    const before = await text.inputValue();
    await text.fill(before.replace("91.5", "92.5"));
    await page.getByTestId("rule-save").click();
    await until(async () => (await when()).includes("92.5"), "it is not saved");
    // Back to the very text that was there when the page was opened.
    await page.getByTestId("rule-versions").click();
    await page.getByTestId("roll-1").click();
    check((await text.inputValue()) === before, "the old text is not there");
    await page.getByTestId("rule-save").click();
    await until(
      async () => (await when()).includes("91.5"),
      "it is not rolled back",
    );
    // While somebody edits, another saves.
    await text.fill(before.replace("91.5", "93.5"));
    const { version } = await ask(house, "GET", `/rules/${id}`);
    check(
      (await put("94.5", Number(version))).status === 200,
      "the other's change was refused",
    );
    await page.getByTestId("rule-overtaken").waitFor({ timeout: 60_000 });
    await accessible(page, '[data-testid="rule-page"]');
    await page.getByTestId("rule-save").click();
    await page.getByText("changed it meanwhile").first().waitFor();
    check((await when()).includes("94.5"), "the other's change is overwritten");
    await visited.close();
  },

  async "a message on a telephone leads to its alarm at the desk, once"(house) {
    const thing = await fire(house, "water_level", 3.4, place());
    const alarm = await alarmOf(house, thing);
    const id = String(alarm["id"]);
    const visited = await visit(house, `/console?lang=en&alarm=${id}`);
    const { page } = visited;
    await live(page);
    await page.locator(`[data-alarm="${id}"]`).first().waitFor();
    await until(
      () => Promise.resolve(!page.url().includes("alarm=")),
      "the alarm stays in the address",
    );
    if (alarm["incident"])
      await page.getByTestId("detail").waitFor({ timeout: 15_000 });
    await page.goto(`${house.base}/console?lang=en&alarm=nosuch`);
    await live(page);
    await page
      .getByTestId("notice")
      .getByText("It is no longer there")
      .waitFor();
    await visited.close();
  },

  async "evidence is attached by hand, and the timeline says so"(house) {
    const spot = place();
    const made = await ask(house, "POST", "/incidents", {
      type: "flood",
      title: fresh("Banjir"),
      severity: "Moderate",
      ...spot,
    });
    const id = String(made["id"]);
    const words = fresh("air coklat");
    await ask(house, "POST", "/reports", {
      channel: "chat",
      text: words,
      ...spot,
    });
    const visited = await visit(house, `/console?lang=en&incident=${id}`);
    const { page } = visited;
    await live(page);
    await page.getByTestId("of-incident").getByTestId("attach").click();
    const dialog = page.getByTestId("attach-dialog");
    await dialog.getByTestId("attach-find").fill(words);
    await dialog.getByText(words).click();
    await accessible(page, '[data-testid="attach-dialog"]');
    await dialog.getByTestId("attach-send").click();
    await dialog.waitFor({ state: "detached" });
    await page.getByTestId("timeline").getByText("Evidence attached").waitFor();
    await page
      .getByTestId("evidence")
      .getByText("attached by a person")
      .waitFor();
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },

  async "the figures of alarms stand beside their goals, and lead to what is withheld"(
    house,
  ) {
    const visited = await desk(house);
    const { page } = visited;
    await page.keyboard.press("h");
    await page.getByTestId("measure-rate").waitFor();
    await accessible(page, '[data-testid="alarm-health"]');
    await page.getByTestId("to-withheld").click();
    check(
      (await page.getByTestId("pile-withheld").getAttribute("aria-pressed")) ===
        "true",
      "what is withheld was not opened",
    );
    await visited.close();
  },
};

export default spec;
