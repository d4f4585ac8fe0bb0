import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { holdingOf } from "../../api/privacy";
import { keepWords, saysWhy, unfit } from "./words";

beforeEach(() => {
  language.set("id");
});

const holding = (more: object) =>
  holdingOf({ class: "incidents", from: "config", least_days: 2, ...more });

describe("how long data are kept", () => {
  it("is told in hours, days, years, for ever", () => {
    const kept = (keep_days: number) => keepWords(holding({ keep_days }));
    expect(kept(0.25)).toBe("6 jam");
    expect(kept(1)).toBe("1 hari");
    expect(kept(365)).toBe("365 hari");
    expect(kept(1825)).toBe("5 tahun");
    expect(kept(0)).toBe("selamanya");
    expect(keepWords(holding({ from: "never" }))).toBe("tidak pernah dihapus");
    expect(keepWords(holding({ from: "lifetime" }))).toBe("selama diperlukan");
  });

  it("is refused where it is no number, too short, or for ever where it may not be", () => {
    expect(unfit(holding({}), "30")).toBe("");
    expect(unfit(holding({}), "0")).toBe("");
    expect(unfit(holding({}), "1")).toBe("short");
    expect(unfit(holding({}), "1.5")).toBe("number");
    expect(unfit(holding({}), "")).toBe("number");
    expect(unfit(holding({}), "36501")).toBe("number");
    expect(unfit(holding({ class: "reporters" }), "0")).toBe("ever");
  });

  it("wants a reason that says something", () => {
    expect(saysWhy("karena   x")).toBe(false);
    expect(saysWhy("permintaan tertulis")).toBe(true);
  });
});
