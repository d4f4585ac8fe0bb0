// The telephone book: written, found by district and hour, offered at the desk, corrected, and deleted after a second look.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { ask, check, until, visit, type Spec } from "./house";

const MS = 15_000;

async function accessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  check(
    violations.length === 0,
    `${where}: ${violations.map((v) => `${v.id} ${v.nodes[0]?.html ?? ""}`).join("; ")}`,
  );
}

const spec: Spec = {
  "a contact is written, found by district and hour, corrected and deleted":
    async (house) => {
      const name = `Puskesmas Talang ${Date.now().toString(36)}`;
      const visited = await visit(house, "/admin?page=contacts&lang=en");
      const { page } = visited;
      page.setDefaultTimeout(MS);
      await page.locator('[data-testid="admin"][data-phase="live"]').waitFor();
      await page.getByTestId("new-contact").click();
      await page.getByTestId("con-name").press("Enter");
      await page.getByText("Not right yet: Name, Telephone number.").waitFor();
      await page.getByTestId("con-name").fill(name);
      await page.getByTestId("con-phone").fill("(0755) 31114");
      await page.getByText("Districts").first().click();
      await page
        .getByTestId("contact-form")
        .getByLabel("Gunung Talang", { exact: true })
        .check();
      await page.getByTestId("con-add-hours").click();
      await page.getByTestId("con-from-0").fill("20:00");
      await page.getByTestId("con-to-0").fill("06:00");
      await page.getByTestId("con-provides").fill("bed, ambulance");
      await page.getByTestId("con-place").fill("-0.957, 100.622");
      for (const theme of ["dark", "light"]) {
        await page.evaluate((t) => {
          document.documentElement.dataset["theme"] = `desk-${t}`;
        }, theme);
        await accessible(page, `the form, ${theme}`);
      }
      await page.getByTestId("con-save").click();
      const row = page.getByRole("listitem").filter({ hasText: name });
      await row.waitFor();

      await page.getByTestId("con-want-at").fill("2026-11-28T12:00");
      await row.waitFor({ state: "detached" });
      await page.getByTestId("con-want-at").fill("2026-11-28T05:00");
      await row.waitFor();
      await page.getByTestId("con-want-area").selectOption("Kubung");
      await row.waitFor({ state: "detached" });
      await page.getByTestId("con-clear").click();
      await row.waitFor();
      await accessible(page, "the list");

      // Somebody else was first: nothing is overwritten.
      const find = async () => {
        const { items } = await ask<{
          items: { id: string; name: string; phone: string; version: number }[];
        }>(house, "GET", "/contacts");
        return items.find((c) => c.name === name);
      };
      const one = await until(find, "the house has no such contact");
      await page.getByTestId(`edit-${one.id}`).click();
      await page.getByTestId("con-phone").fill("119");
      await ask(house, "PUT", `/contacts/${one.id}`, {
        kind: "facility",
        name,
        phone: "118",
        version: one.version,
      });
      await page.getByTestId("con-save").click();
      await page
        .getByTestId("contact-fault")
        .getByText("Somebody else has changed it first")
        .waitFor();
      check((await find())?.phone === "118", "the other's change is lost");
      await page
        .getByTestId("contact-form")
        .getByRole("button", { name: "Leave" })
        .click();

      await row.getByText("118").waitFor();
      await page.getByTestId(`delete-${one.id}`).click();
      await page.getByTestId("delete-sure").getByText(name).waitFor();
      await page.getByTestId("delete-yes").click();
      await row.waitFor({ state: "detached" });
      check((await find()) === undefined, "it is not deleted");
      check(visited.faults.length === 0, visited.faults.join("\n"));
      await visited.close();
    },
};

export default spec;
