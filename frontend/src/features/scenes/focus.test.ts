import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Incident } from "../../wire/wire";
import { Chosen, CHOSEN_MS, focusOf, steeredFrame } from "./focus.svelte";

const of = (id: string, severity = "Severe", status = "acknowledged") =>
  ({
    id,
    severity,
    status,
    location: { lng: 1, lat: 2 },
  }) as unknown as Incident;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("what nobody may miss comes before a tap, a tap before the desk, the desk before the worst", () => {
  const [a, b, c] = [of("a"), of("b"), of("c")];
  const new_ = of("x", "Extreme", "new");
  expect(focusOf([new_, a, b], "b", a)?.id).toBe("x");
  expect(focusOf([of("x", "Extreme"), a, b], "b", a)?.id).toBe("b");
  expect(focusOf([a, b, c], null, c)?.id).toBe("c");
  expect(focusOf([a, b, c], "gone", null)?.id).toBe("a");
  expect(focusOf([], "a", null)).toBeNull();
});

it("the map goes where the focus is", () => {
  const [a, b] = [of("a"), of("b")];
  const new_ = of("x", "Extreme", "new");
  expect(steeredFrame([a, b], null)).toBeNull();
  expect(steeredFrame([a, b], b)).toEqual([b]);
  expect(steeredFrame([new_, a, b], b)).toEqual([new_]);
});

it("a tap is forgotten after a minute, a tap on another begins it anew", () => {
  const chosen = new Chosen();
  chosen.tap("a");
  vi.advanceTimersByTime(CHOSEN_MS - 1);
  expect(chosen.id).toBe("a");
  chosen.tap("b");
  vi.advanceTimersByTime(CHOSEN_MS - 1);
  expect(chosen.id).toBe("b");
  vi.advanceTimersByTime(1);
  expect(chosen.id).toBeNull();
  chosen.tap("a");
  chosen.tap("a");
  expect(chosen.id).toBeNull();
  expect(vi.getTimerCount()).toBe(0);
});
