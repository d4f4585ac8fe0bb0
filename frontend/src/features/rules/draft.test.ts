import { describe, expect, it } from "vitest";
import { readBackTest, readRule } from "../../api/rules";
import {
  duration,
  EXAMPLE,
  forcible,
  placed,
  shownRules,
  writtenRule,
} from "./draft";
import { readYaml } from "./yaml";

const TOLD = {
  id: "muka-air",
  when: "obs.value > 2.8",
  samples: 2,
  enabled: true,
  alert: { event: "Muka air naik", severity: "Severe" },
  incident: { type: "flood", merge_radius_m: 900 },
  for_s: 90,
  act_within_s: 1200,
  expires_s: 86400,
  merge_window_s: 1800,
  clear_for_s: 0,
  rate: { of_s: 600, per_s: 3600, rise: 5 },
  source: "api",
  version: 3,
  kind: "threshold",
  state: "firing",
  firing: ["a"],
  pending: [],
  warnings: [],
  undefined: false,
  errors: 0,
  late: 0,
};

describe("a rule in the keys of its YAML", () => {
  it("says durations as the configuration does, each in its block", () => {
    expect(writtenRule(TOLD)).toEqual({
      id: "muka-air",
      when: "obs.value > 2.8",
      samples: 2,
      alert: { event: "Muka air naik", severity: "Severe", expires: "24h" },
      incident: { type: "flood", merge_radius_m: 900, merge_window: "30m" },
      for: "1m30s",
      act_within: "20m",
      rate: { of: "10m", per: "1h", rise: 5 },
    });
    expect(duration(0.5)).toBe("500ms");
    expect(duration(3661)).toBe("1h1m1s");
    expect(duration(0)).toBe("0s");
  });

  it("is what was written where the house tells that", () => {
    const config = { id: "a", when: "true", for: "30s" };
    expect(writtenRule({ ...TOLD, config })).toEqual(config);
  });

  it("keeps that it is switched off", () => {
    expect(writtenRule({ ...TOLD, enabled: false })["enabled"]).toBe(false);
  });
});

describe("what the server says of a rule", () => {
  const { lines } = readYaml(EXAMPLE);

  it("stands at the line of its key", () => {
    const problem = {
      errors: [
        {
          location: "body.config.alert.severity",
          message: "is not one of CAP's",
        },
        { location: "body.when", message: "1:5: undeclared reference" },
      ],
    };
    expect(placed(422, problem, lines).map((f) => f.line)).toEqual([8, 2]);
  });

  it("is found in words, the longest key first", () => {
    const message =
      "rule muka-air: alert.severity: bad\nrule muka-air: when: no such field";
    const errors = [{ location: "body.rule", message }];
    expect(placed(422, { errors }, lines)).toMatchObject([
      { key: "alert.severity", line: 8 },
    ]);
    expect(placed(422, { code: "invalid" }, lines)[0]?.line).toBe(0);
  });

  it("may be overruled where only an instrument is yet to come", () => {
    const yet = {
      location: "body.config.when",
      message: 'no feed has ever said the property "snow"',
      code: "yet",
    };
    const said = placed(422, { errors: [yet] }, lines);
    expect(said[0]?.text).toContain(
      '“no feed has ever said the property "snow"”',
    );
    expect(forcible(said)).toBe(true);
    const more = { location: "body.config.id", message: "is taken" };
    expect(forcible(placed(422, { errors: [yet, more] }, lines))).toBe(false);
    expect(forcible([])).toBe(false);
  });
});

describe("the list of rules", () => {
  const rule = (id: string, more: object = {}) =>
    readRule({ ...TOLD, id, ...more });

  it("has what fires first, and shows what is asked for", () => {
    const all = [
      rule("b", { state: "normal", undefined: true }),
      rule("a", { state: "off" }),
      rule("c"),
      rule("d", { state: "normal", errors: 2 }),
    ];
    const ids = (list: { id: string }[]) => list.map((r) => r.id).join("");
    expect(ids(shownRules(all, "", ""))).toBe("cbda");
    expect(ids(shownRules(all, "undefined", ""))).toBe("b");
    expect(ids(shownRules(all, "faulty", ""))).toBe("d");
    expect(ids(shownRules(all, "off", ""))).toBe("a");
    expect(ids(shownRules(all, "", "naik"))).toBe("cbda");
    expect(ids(shownRules(all, "firing", "x"))).toBe("");
  });

  it("counts a back-test by sensor, the busiest first", () => {
    const test = readBackTest({
      fired: 3,
      by_thing: { a: 1, b: 2 },
      alerts: null,
    });
    expect(test.byThing).toEqual([
      ["b", 2],
      ["a", 1],
    ]);
    expect(test.alerts).toEqual([]);
  });
});
