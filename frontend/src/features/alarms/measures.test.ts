import { describe, expect, it } from "vitest";
import { readHealth } from "../../api/alarms";
import { measures, met } from "./measures";

const missed = (health: object): string[] =>
  measures(readHealth(health))
    .filter((row) => !met(row))
    .map((row) => row.id);

describe("the measures of alarms", () => {
  it("are met by a quiet desk, and by exactly their goal", () => {
    expect(missed({})).toEqual([]);
    expect(
      missed({
        rate_10m: 1,
        flood_share: 0.01,
        standing: 4,
        shelved: 10,
        top_share: 0.05,
      }),
    ).toEqual([]);
  });

  it("are missed by one more", () => {
    expect(
      missed({
        rate_10m: 1.1,
        flood_share: 0.011,
        standing: 5,
        chattering: 1,
        shelved: 11,
        top_share: 0.06,
      }),
    ).toEqual(["rate", "flood", "standing", "chattering", "shelved", "top"]);
  });

  it("reads what an older house leaves out as none", () => {
    const h = readHealth({ desk: "Meja 1", mix: { P1: 3 }, top: null });
    expect(h.mix).toEqual({ P1: 3, P2: 0, P3: 0 });
    expect(h.top).toEqual([]);
    expect(h.ackP50Ms).toBeNull();
  });
});
