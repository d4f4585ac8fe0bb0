import { describe, expect, it } from "vitest";
import { changesIn } from "./live";
import { fit } from "./photo";
import { telTo, wayTo } from "./way";

describe("ways out of the page", () => {
  const place = { lng: 100.7129, lat: -0.8777 };

  it("open the phone's own map", () => {
    expect(
      wayTo(place, "Galodo (418)", "Mozilla/5.0 (Linux; Android 14)"),
    ).toBe(
      "geo:-0.877700,100.712900?q=-0.877700,100.712900(Galodo%20%20418%20)",
    );
    expect(wayTo(place, "", "Mozilla/5.0 (iPhone; CPU iPhone OS 17)")).toBe(
      "https://maps.apple.com/?daddr=-0.877700,100.712900",
    );
    expect(wayTo(place, "", "X11; Linux")).toMatch(
      /^https:\/\/www\.openstreetmap\.org\/directions\?to=-0\.877700%2C100\.712900$/,
    );
  });

  it("call numbers as people write them, and nothing that is none", () => {
    expect(telTo("0755-31 112")).toBe("tel:075531112");
    expect(telTo("+62 (755) 31112")).toBe("tel:+6275531112");
    expect(telTo("javascript:alert(1)")).toBe("");
    expect(telTo("")).toBe("");
  });
});

describe("a picture", () => {
  it("is scaled down, never up", () => {
    expect(fit(4000, 3000)).toEqual({ width: 1600, height: 1200 });
    expect(fit(800, 600)).toEqual({ width: 800, height: 600 });
    expect(fit(20000, 3)).toEqual({ width: 1600, height: 1 });
  });
});

describe("the ear on the live socket", () => {
  it("hears which nouns have changed, and passes over the rest", () => {
    const frame = [
      '{"type":"things","things":[]}',
      '{"type":"dispatch","cursor":"e:1","dispatch":{"id":"d1"}}',
      "not json",
      '{"type":"incident","incident":{"id":"i1"}}',
    ].join("\n");
    expect(changesIn(frame)).toEqual([
      { noun: "dispatch", id: "d1" },
      { noun: "incident", id: "i1" },
    ]);
  });
});
