import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Looking, PACE_MS, type Looked } from "./looking";
import type { Box } from "./geometry";

const VIEW: Box = [100, -1, 101, 0];
const moved = (by: number): Box => [100 + by, -1, 101 + by, 0];

describe("what the server is asked to show", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function setup() {
    const sent: Looked[] = [];
    const looking = new Looking(
      (looked) => sent.push(looked),
      () => Date.now(),
    );
    return { sent, looking };
  }

  it("is a little more than is seen, so that a small move asks nothing", () => {
    const { sent, looking } = setup();
    looking.moved(VIEW, 10);
    expect(sent[0]?.bbox).toEqual([99.8, -1.2, 101.2, 0.2]);
    looking.moved(moved(0.1), 10.4);
    vi.runAllTimers();
    expect(sent.length).toBe(1);
  });

  it("is asked at most five times a second, the last one wins", () => {
    const { sent, looking } = setup();
    for (let i = 0; i < 100; i++) {
      looking.moved(moved(i), 10);
      vi.advanceTimersByTime(20);
    }
    vi.runAllTimers();
    expect(sent.length).toBeLessThanOrEqual(2_000 / PACE_MS + 2);
    expect(sent.at(-1)?.bbox[0]).toBeCloseTo(198.8);
  });

  it("is asked anew where the server would answer otherwise", () => {
    const { sent, looking } = setup();
    looking.ask({ bbox: [90, -10, 110, 10], zoom: 9.7 });
    looking.moved(VIEW, 9.9);
    vi.runAllTimers();
    expect(sent.length).toBe(2);
    looking.moved(VIEW, 8.9);
    vi.runAllTimers();
    expect(sent.length).toBe(3);
  });

  it("takes back a wish that is no longer one", () => {
    const { sent, looking } = setup();
    looking.moved(VIEW, 10);
    looking.moved(moved(5), 10);
    looking.moved(VIEW, 10);
    vi.runAllTimers();
    expect(sent.length).toBe(1);
  });
});
