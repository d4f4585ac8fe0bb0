import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Alarm } from "../../wire/wire";
import type { Room } from "../../stores/room.svelte";
import { alarm } from "./queue.fixture";
import { AlarmQueue, type Reading } from "./queue.svelte";

const held = alarm("held", { presented: false, withheld: "plan" });

/** Answers of the house, by what is asked for. */
const asked = vi.fn<(url: string) => { status: number; items: Alarm[] }>();

function reader(queue: AlarmQueue, text: string) {
  const told: Reading[] = [];
  const stop = queue.readWithheld(text, (is) => told.push(is));
  return { told, stop };
}

describe("what is not presented", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", (url: string) => {
      const { status, items } = asked(url);
      return Promise.resolve(
        new Response(JSON.stringify({ items, next_page: "" }), {
          status,
          headers: { "content-type": "application/json" },
        }),
      );
    });
    asked.mockReturnValue({ status: 200, items: [held] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const make = () =>
    new AlarmQueue(
      { alarms: { all: [alarm("told")] }, now: 0 } as unknown as Room,
      () => null,
    );
  const ids = (queue: AlarmQueue) => queue.all.map((a) => a.id).sort();

  it("stays for one reader when another leaves", async () => {
    const queue = make();
    const list = reader(queue, "air");
    const plans = reader(queue, "");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ids(queue)).toEqual(["held", "told"]);
    list.stop();
    expect(ids(queue)).toEqual(["held", "told"]);
    plans.stop();
    expect(ids(queue)).toEqual(["told"]);
  });

  it("is not called empty while it could not be read", async () => {
    asked.mockReturnValue({ status: 503, items: [] });
    const { told, stop } = reader(make(), "");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told.at(-1)).toMatchObject({ list: null, fault: 503 });
    asked.mockReturnValue({ status: 200, items: [held] });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(told.at(-1)).toMatchObject({ list: [held], fault: null });
    asked.mockReturnValue({ status: 503, items: [] });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(told.at(-1)).toMatchObject({ list: [held], fault: 503 });
    stop();
  });
});
