import { expect, it } from "vitest";
import type { Fleet } from "../../stores/fleet.svelte";
import { GlassTimes } from "./glass";
import { sampler } from "./sampler";

function setup() {
  const atMs = new Float64Array(1);
  const clock: { now: number | null } = { now: 1_000_000 };
  const times = new GlassTimes();
  const look = sampler(
    {
      size: 1,
      block: 64,
      blocks: new Uint32Array([7]),
      stamp: 8,
      atMs,
      feedOf: () => "awlr",
    } as unknown as Fleet,
    times,
    () => clock.now,
    (then) => {
      then();
    },
  );
  return {
    clock,
    times,
    says: (at: number) => {
      atMs[0] = at;
      look();
    },
  };
}

it("a reading that is stamped in the future mutes nothing that comes after it", () => {
  const { clock, times, says } = setup();
  const now = 1_000_000;
  says(now + 3_600_000);
  expect(times.figures(now)).toBeNull();
  says(now - 80);
  says(now - 80);
  clock.now = now + 500;
  says(now + 460);
  expect(times.figures(now + 500)).toMatchObject({ n: 2, p50: 40, p99: 80 });
});

it("goes on when the house's clock has been set back, without what was painted before it", () => {
  const { clock, times, says } = setup();
  says(1_000_000 - 900);
  clock.now = 1_000_000 - 3_600_000;
  const now = clock.now;
  says(now - 80);
  says(now - 80);
  expect(times.figures(now)).toMatchObject({ n: 1, p50: 80 });
});

it("before the server has told its time nothing is measured", () => {
  const { clock, times, says } = setup();
  clock.now = null;
  says(900_000);
  expect(times.figures(1_000_000)).toBeNull();
});
