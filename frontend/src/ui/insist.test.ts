import { afterEach, describe, expect, it, vi } from "vitest";
import { fetched, insist } from "./insist";

describe("a part that does not come", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is asked for again until it has come", async () => {
    vi.useFakeTimers();
    let left = 2;
    const load = vi.fn(() =>
      left-- > 0 ? Promise.reject(new Error("away")) : Promise.resolve("here"),
    );
    const come = insist(load, 100);
    await vi.advanceTimersByTimeAsync(100);
    expect(load).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(100);
    await expect(come).resolves.toBe("here");
    expect(load).toHaveBeenCalledTimes(3);
  });

  it("is asked for by another name: a browser keeps that it did not come", async () => {
    const gone = () =>
      Promise.reject<string>(
        new TypeError(
          "Failed to fetch dynamically imported module: http://a/b-1.js",
        ),
      );
    const asked: string[] = [];
    const by = (url: string) => {
      asked.push(url);
      return Promise.resolve("here");
    };
    await expect(fetched(gone, by)).resolves.toBe("here");
    expect(asked[0]).toMatch(/^http:\/\/a\/b-1\.js\?again=\d+$/);
    await expect(
      fetched(() => Promise.reject<string>(new Error("no address")), by),
    ).rejects.toThrow("no address");
    expect(asked).toHaveLength(1);
  });
});
