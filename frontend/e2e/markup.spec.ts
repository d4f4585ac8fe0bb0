// Words of others are shown as words: titles, CAP texts, names of sensors, people, keys and properties that hold markup, on every screen.
import type { Page } from "playwright-core";
import { EXTREMES } from "../src/views/gallery/fixtures/words";
import { check, push, reading, visit, type House, type Spec } from "./house";
import { wider } from "./layout";

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

  async "words of 10,000 characters, other scripts, turned and stacked letters leave every screen whole at every width"(
    house,
  ) {
    const taken: Record<string, number> = {};
    const took = (status: number, what: string) => {
      check(status < 500, `${what}: ${status}`);
      if (status < 300) taken[what] = (taken[what] ?? 0) + 1;
    };
    for (const [n, { text }] of EXTREMES.entries()) {
      const lng = 100.63 + n / 100;
      // What is too long is refused in words; a screen meets the longest that the house takes.
      for (const said of [text, text.slice(0, 200)]) {
        const before = taken["incident"] ?? 0;
        took(
          await send(house, "/api/v1/incidents", {
            type: "flood",
            severity: "Severe",
            title: said,
            note: said,
            lng,
            lat: -0.93,
          }),
          "incident",
        );
        if ((taken["incident"] ?? 0) > before) break;
      }
      took(
        await send(house, "/api/v1/reports", {
          channel: "call",
          text,
          address: text.slice(0, 200),
          lng,
          lat: -0.94,
        }),
        "report",
      );
      took(
        await send(house, "/api/v1/keys", {
          name: text.slice(0, 100),
          scope: "read",
        }),
        "key",
      );
      took(
        await send(
          house,
          "/api/v1/ingest/cap",
          alertOf(1_000 + n, text),
          "application/cap+xml",
        ),
        "CAP",
      );
    }
    await push(
      house,
      "awlr",
      EXTREMES.map(({ text }, n) => ({
        ...reading({
          thing: `kata-${n}`,
          property: "water_level",
          value: 3.6,
          lng: 100.63 + n / 100,
          lat: -0.92,
        }),
        name: text,
      })),
    );
    check(
      ["incident", "report", "CAP"].every((w) => (taken[w] ?? 0) >= 6),
      `too little was taken: ${JSON.stringify(taken)}`,
    );
    const looks: [path: string, ready: string, rows: string][] = [
      ["/wall?motion=off", "wall", '[data-testid="incidents"] > li'],
      ["/console?motion=off", "rows", '[data-testid="rows"] > li'],
      ["/briefing", "", ""],
      ["/public", "public", ""],
      ["/field", "", ""],
      ["/admin?page=keys", "admin", ""],
      ["/admin?page=feeds", "admin", ""],
      ["/admin?page=audit", "admin", ""],
    ];
    const found: string[] = [];
    const seen = await visit(house, "/login");
    const { page } = seen;
    for (const width of [390, 1280, 1920]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      for (const [path, ready, rows] of looks) {
        await page.goto(house.base + path);
        await page
          .locator(ready ? `[data-testid="${ready}"]` : "main, .field")
          .first()
          .waitFor({ timeout: 20_000 });
        if (rows) await page.locator(rows).first().waitFor({ timeout: 20_000 });
        await page.waitForTimeout(700); // lists come with the first picture of the house
        const where = `${width} ${path}`;
        const more = await wider(page);
        if (more > 0) found.push(`${where}: ${more} px too wide`);
        const top = await page.evaluate(() => {
          const head = document.querySelector("header");
          if (!head) return null;
          const box = head.getBoundingClientRect();
          return { top: box.top, height: box.height, width: box.width };
        });
        if (
          top &&
          (top.top < -8 || // the wall shifts by a few pixels against burn-in
            top.height < 20 ||
            top.width < Math.min(width, 560) / 2)
        )
          found.push(`${where}: the header is gone: ${JSON.stringify(top)}`);
        if (top && top.height > 420)
          found.push(
            `${where}: the header is ${Math.round(top.height)} px high`,
          );
        if (!rows) continue;
        const high = await page
          .locator(rows)
          .evaluateAll((all) =>
            all.map((r) => r.getBoundingClientRect().height),
          );
        const worst = Math.max(...high);
        if (worst > 120) found.push(`${where}: a row is ${worst} px high`);
      }
    }
    check(found.length === 0, found.join("\n"));
    check(seen.faults.length === 0, seen.faults.join("\n"));
    check(seen.strangers.length === 0, seen.strangers.join("\n"));
    await seen.close();
  },
};

export default spec;
