import { describe, expect, it } from "vitest";
import { readFeed, readHeld, readRow, readTrial } from "./feeds";
import { readKey } from "./keys";

describe("what the server says of feeds", () => {
  it("is read whole", () => {
    const row = readRow({
      name: "awlr",
      state: "late",
      source: "api",
      rejects_by_reason: { format: 2, odd: "x" },
      quarantined: 1,
    });
    expect(row).toMatchObject({
      name: "awlr",
      state: "late",
      source: "api",
      quarantined: 1,
      rejects_by_reason: { format: 2, odd: 0 },
    });
  });
  it.each([null, undefined, 7, [], "x", {}])(
    "breaks nothing as %j",
    (value) => {
      expect(readRow(value).state).toBe("off");
      expect(readFeed(value).quarantine).toEqual([]);
      expect(readHeld(value).state).toBe("held");
      expect(readTrial(value).receipt.accepted).toBe(0);
      expect(readKey(value).scope).toBe("ingest");
    },
  );
  it("shows values of any kind in one line", () => {
    const held = readHeld({
      diff: [
        {
          field: "water_level.unit",
          was: "m",
          now: null,
          text_id: "a",
          text_en: "b",
          share: 0.5,
          examples: [{ index: 0, thing: "LB-1", value: 3.4 }],
        },
      ],
    });
    expect(held.diff[0]).toMatchObject({
      was: "m",
      now: "",
      words: { id: "a", en: "b" },
      share: 0.5,
      examples: [{ thing: "LB-1", value: "3.4" }],
    });
  });
});
