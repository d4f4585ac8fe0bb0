// A call is taken by keys alone: what is open near by is told while somebody types, one key says what the call is, and it can be taken back.
import { AxeBuilder } from "@axe-core/playwright";
import { ask, check, live, visit, type Doc, type Spec } from "./house";

const spec: Spec = {
  "a call is taken, told from what is open, and judged with one key": async (
    house,
  ) => {
    // Ground of its own: what another run has opened must not be nearer.
    const lng = 100.62 + Math.random() * 0.03;
    const lat = -0.98 - Math.random() * 0.03;
    const open = await ask(house, "POST", "/incidents", {
      type: "fire_building",
      lng,
      lat,
    });
    const short = String(open["number"]).replace(/^.*-0*/, "");
    const rang = `${Date.now()}`;
    await ask(house, "POST", "/cti", {
      call_id: rang,
      number: "0812-0000-1234",
      line: "112-3",
    });

    const visited = await visit(house, "/console?lang=en");
    const { page } = visited;
    await live(page);
    await page.getByTestId("new").waitFor();
    await page.keyboard.press("i");
    const form = page.getByTestId("intake");
    await form.waitFor();
    const { violations } = await new AxeBuilder({ page })
      .include('[data-testid="intake"]')
      .analyze();
    const serious = violations.filter(
      (v) => v.impact === "serious" || v.impact === "critical",
    );
    check(
      serious.length === 0,
      serious
        .map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join("\n")}`)
        .join("\n"),
    );

    // The call that rings is taken, and its number is there.
    await page.getByTestId("take-call").first().click();
    await page.waitForFunction(
      () =>
        document.querySelector<HTMLInputElement>("#int-number")?.value ===
        "+6281200001234",
      null,
      { timeout: 15_000 },
    );

    // Known already: the nearest incident is there while somebody types, and one key joins it.
    await page.getByTestId("int-place").fill(`${lat}, ${lng}`);
    await page.getByTestId("int-text").fill("kebakaran rumah");
    const hint = page.getByTestId("hint").filter({ hasText: short });
    await hint.first().waitFor({ timeout: 15_000 });
    await page.keyboard.press("F4");
    await page.getByTestId("int-done").waitFor({ timeout: 15_000 });
    const joined = await ask(house, "GET", `/incidents/${String(open["id"])}`);
    check(
      (joined["evidence"] as Doc[]).some((e) => e["kind"] === "report"),
      "the call is no evidence of the incident",
    );

    // A prank is one key, without a word; it is taken back, and waits in the list.
    await page.keyboard.press("F9");
    await page.getByTestId("int-done").getByText(/prank/i).waitFor({
      timeout: 15_000,
    });
    await page.getByTestId("int-undo").click();
    await page.getByTestId("triage").waitFor({ timeout: 15_000 });
    check(visited.faults.length === 0, visited.faults.join("\n"));
    await visited.close();
  },
};

export default spec;
