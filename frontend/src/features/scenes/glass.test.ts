import { expect, it } from "vitest";
import { GlassTimes } from "./glass";

it("tells the worst source, and forgets what is older than a minute", () => {
  const g = new GlassTimes();
  expect(g.figures(0)).toBeNull();
  for (let i = 0; i < 100; i++) g.add("awlr", 1000 + i, 60 + (i % 10));
  g.add("gempa", 1000, 900);
  const f = g.figures(2000);
  expect(f).toMatchObject({
    worst: "gempa",
    worstMs: 900,
    sources: 2,
    n: 65,
  });
  expect(f?.p50).toBeGreaterThanOrEqual(60);
  expect(f?.p50).toBeLessThan(70);
  expect(f?.p99).toBe(900);
  g.add("awlr", 60_500, 50);
  expect(g.figures(61_200)).toMatchObject({ worst: "awlr", n: 1 });
  expect(g.figures(200_000)).toBeNull();
});

it("a clock that is ahead counts as no time, what is no number not at all", () => {
  const g = new GlassTimes();
  g.add("a", 0, -20);
  g.add("b", 0, Number.NaN);
  expect(g.figures(1)).toMatchObject({ p50: 0, n: 1 });
});
