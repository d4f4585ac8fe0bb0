// Words of others are shown as words: titles, CAP texts, names of sensors, people, keys and properties that hold markup, on every screen.
import type { Page } from "playwright-core";
import { check, push, reading, visit, type House, type Spec } from "./house";

const MARK = "kena-tanda";
const corpus = [
  `<img src=x onerror="window.kena=1;alert(1)">${MARK}`,
  `<script>window.kena=2;alert(2)</script>${MARK}`,
  `"><svg onload=alert(3)>${MARK}`,
  `javascript:alert(4)//${MARK}`,
  `{{constructor.constructor('alert(5)')()}}\${alert(5)}<%=7*7%>#{7*7}${MARK}`,
  `</title><style>*{display:none}</style>${MARK}`,
  `<a href="javascript:alert(6)">${MARK}</a>`,
  `<iframe srcdoc="<script>parent.kena=7</script>"></iframe>${MARK}`,
  `&lt;b&gt;&#60;img src=x onerror=alert(8)&#62;${MARK}`,
];

async function send(
  house: House,
  path: string,
  body: unknown,
  type = "application/json",
): Promise<number> {
  const answer = await fetch(house.base + path, {
    method: "POST",
    headers: { authorization: `Bearer ${house.token}`, "content-type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return answer.status;
}

const escaped = (text: string) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");

const alertOf = (
  n: number,
  text: string,
) => `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>tanda-${n}-${Date.now()}</identifier><sender>bmkg</sender>
<sent>${new Date().toISOString().replace(/\.\d+Z/, "+00:00")}</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>id</language><category>Met</category><event>${escaped(text)}</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
<expires>${new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z/, "+00:00")}</expires>
<headline>${escaped(text)}</headline><description>${escaped(text)}</description><instruction>${escaped(text)}</instruction><web>javascript:alert(9)</web>
<area><areaDesc>${escaped(text)}</areaDesc><circle>-0.83,100.63 5</circle></area></info></alert>`;

const part = (name: string) => (page: Page) =>
  page.getByTestId(`page-${name}`).click();

/** What is looked at on each screen; every one shows words of the corpus. */
const screens: {
  path: string;
  steps: Record<string, (page: Page) => Promise<unknown>>;
}[] = [
  { path: "/wall?motion=off", steps: { wall: () => Promise.resolve() } },
  {
    path: "/console",
    steps: {
      list: (page) => page.getByTestId("rows").waitFor(),
      incident: (page) => page.locator('[data-testid^="row-"]').first().click(),
      reports: (page) => page.keyboard.press("r"),
    },
  },
  {
    path: "/admin",
    steps: {
      keys: part("keys"),
      people: part("people"),
      devices: part("devices"),
    },
  },
];

const spec: Spec = {
  async "markup of others is shown as text on wall, console and admin"(house) {
    let sent = 0;
    const took = (status: number, what: string) => {
      check(status < 500, `${what}: ${status}`);
      if (status < 300) sent++;
    };
    for (const [n, text] of corpus.entries()) {
      took(
        await send(house, "/api/v1/incidents", {
          type: "flood",
          severity: "Severe",
          title: text,
          note: text,
          lng: 100.63 + n / 100,
          lat: -0.83,
        }),
        "incident",
      );
      took(
        await send(house, "/api/v1/reports", {
          channel: "call",
          text,
          lng: 100.63 + n / 100,
          lat: -0.84,
          reporter: { name: text, phone: "081277770099" },
        }),
        "report",
      );
      took(
        await send(house, "/api/v1/keys", { name: text, scope: "read" }),
        "key",
      );
      took(
        await send(house, "/api/v1/users", {
          login: `tanda-${n}`,
          name: text,
          grants: [{ role: "operator" }],
        }),
        "person",
      );
      took(
        await send(house, "/api/v1/devices", {
          kind: "wall",
          name: text,
          screen: `tanda-${n}`,
        }),
        "device",
      );
      took(
        await send(
          house,
          "/api/v1/ingest/cap",
          alertOf(n, text),
          "application/cap+xml",
        ),
        "CAP",
      );
    }
    await push(
      house,
      "awlr",
      corpus.map((text, n) => ({
        ...reading({
          thing: `tanda-${n}`,
          property: "water_level",
          value: 3.5,
          lng: 100.63 + n / 100,
          lat: -0.82,
        }),
        name: text,
        properties: { nama: text },
      })),
    );
    check(
      sent >= corpus.length * 4,
      `only ${sent} of the writes were taken: nothing is proven`,
    );
    for (const { path, steps } of screens) {
      const seen = await visit(house, path);
      const dialogs: string[] = [];
      seen.page.on("dialog", (d) => {
        dialogs.push(d.message());
        void d.dismiss();
      });
      for (const [name, go] of Object.entries(steps)) {
        await go(seen.page);
        await seen.page
          .locator("body", { hasText: MARK })
          .waitFor({ timeout: 15_000 })
          .catch(() => {
            throw new Error(`${path}, ${name}: none of the words is shown`);
          });
        await seen.page.waitForTimeout(700); // what a script would do, it has done by then
        const alive = await seen.page.evaluate(
          () =>
            document.querySelectorAll(
              'img[src="x"], svg[onload], [onerror], [onload], iframe, a[href^="javascript:"]',
            ).length + ("kena" in window ? 1 : 0),
        );
        check(alive === 0, `${path}, ${name}: ${alive} pieces came alive`);
      }
      check(dialogs.length === 0, `${path}: dialogs ${dialogs.join(" ")}`);
      check(seen.faults.length === 0, `${path}: ${seen.faults.join("\n")}`);
      check(
        seen.strangers.length === 0,
        `${path} asked ${seen.strangers.join(" ")}`,
      );
      await seen.close();
    }
  },
};

export default spec;
