import { describe, expect, it } from "vitest";
import type { FeedStatus } from "../../wire/wire";
import { feedAge, feedAges, worstFeed } from "./health";

const NOW = Date.parse("2026-11-22T07:00:00.000Z");
const feed = (name: string, ageS: number | null, more = {}): FeedStatus =>
  ({
    name,
    agency: "",
    state: "ok",
    interval_s: 60,
    last_success:
      ageS === null ? null : new Date(NOW - ageS * 1000).toISOString(),
    reason: "",
    simulated: false,
    ...more,
  }) as unknown as FeedStatus;

describe("the age of a feed", () => {
  it.each([
    [10, true],
    [74, true],
    [75, false],
  ])("%d s of a 60 s feed is fresh: %s", (ageS, fresh) => {
    expect(feedAge(feed("a", ageS), NOW).fresh).toBe(fresh);
  });
  it("is never fresh without a word from it, or when the server says late", () => {
    expect(feedAge(feed("a", null), NOW).fresh).toBe(false);
    expect(feedAge(feed("a", 1, { state: "late" }), NOW).fresh).toBe(false);
  });
  it("has a ratio only where the interval is known", () => {
    expect(feedAge(feed("a", 30), NOW).ratio).toBe(0.5);
    expect(feedAge(feed("a", 30, { interval_s: 0 }), NOW).ratio).toBeNull();
  });
  it("tells an internet that does not answer from a producer that answers badly", () => {
    const failing = (reason: string) =>
      feedAge(feed("a", null, { state: "failing", reason }), NOW).unreachable;
    expect(failing("dns: no such host data.bmkg.go.id")).toBe(true);
    expect(failing("timeout: no answer within 10s")).toBe(true);
    expect(failing("http: 500")).toBe(false);
    expect(feedAge(feed("a", 1, { reason: "dns: x" }), NOW).unreachable).toBe(
      false,
    );
  });
  it("lists by name, without those switched off, and names the worst", () => {
    const ages = feedAges(
      [
        feed("c", 700),
        feed("a", 1),
        feed("off", null, { state: "off" }),
        feed("b", 90, { state: "failing" }),
      ],
      NOW,
    );
    expect(ages.map((f) => f.name)).toEqual(["a", "b", "c"]);
    expect(worstFeed(ages)?.name).toBe("b");
    expect(worstFeed(ages.slice(0, 1))).toBeNull();
  });
});
