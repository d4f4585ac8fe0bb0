import { describe, expect, it } from "vitest";
import {
  decimal,
  distanceM,
  readCoordinates,
  sexagesimal,
} from "./coordinates";
import { decodePlus, encodePlus } from "./pluscode";

const near = (text: string) => {
  const p = readCoordinates(text);
  return p && [Number(p.lat.toFixed(3)), Number(p.lng.toFixed(3))];
};

describe("coordinates that people paste", () => {
  it.each([
    ["-0.877, 100.699"],
    ["-0.877 100.699"],
    ["−0,877, 100,699"],
    ["-0,877;100,699"],
    ["100.699, -0.877"],
    [`0°52'37.2"S 100°41'56.4"E`],
    ["0° 52′ 37.2″ LS, 100° 41′ 56.4″ BT"],
    ["0 52 37.2 S 100 41 56.4 E"],
    ["0.877° S, 100.699° E"],
    ["https://maps.example/@-0.877,100.699,15z"],
    ["geo:-0.877,100.699"],
  ])("%s", (text) => {
    expect(near(text)).toEqual([-0.877, 100.699]);
  });

  it.each([
    [""],
    ["Muaro Paneh"],
    ["-0.877"],
    ["91, 181"],
    ["0°75'0\"S 100°0'0\"E"],
    ["1°S 2°S"],
  ])("%j is no place", (text) => {
    expect(readCoordinates(text)).toBeNull();
  });

  it("are written to be read again", () => {
    const place = { lat: -0.877, lng: 100.699 };
    expect(decimal(place)).toBe("-0.87700, 100.69900");
    expect(sexagesimal(place)).toBe(`0°52'37.2"S 100°41'56.4"E`);
    expect(near(sexagesimal(place))).toEqual([-0.877, 100.699]);
  });
});

describe("Plus Codes", () => {
  it("are those of the specification's own examples", () => {
    expect(encodePlus({ lat: 47.365_590, lng: 8.524_997 })).toBe("8FVC9G8F+6X");
    expect(decodePlus("6FH32222+22")?.lat).toBeCloseTo(1.000_062, 5);
    expect(decodePlus("7FG49Q00+")).toBeNull();
    expect(decodePlus("9G8F+6X")).toBeNull();
  });
  it("go there and back", () => {
    const place = { lat: -0.877, lng: 100.699 };
    const back = decodePlus(encodePlus(place));
    expect(back && distanceM(place, back)).toBeLessThan(14);
  });
});

it("measures the ground", () => {
  const d = distanceM({ lat: -0.88, lng: 100.6 }, { lat: -0.88, lng: 100.61 });
  expect(Math.round(d)).toBe(1112);
});
