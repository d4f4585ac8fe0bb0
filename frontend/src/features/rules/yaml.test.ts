import { describe, expect, it } from "vitest";
import { readYaml, writeYaml, YamlFault } from "./yaml";

const RULE = `# the galodo of Batang Lembang
id: muka-air
when: obs.property == "water_level" && obs.value > 2.8  # metres
for: 30s
range: [0, 12.5]
alert:
  event: Muka air naik
  severity: Severe
  "headline": "AWLR: {value} m # not a comment"
incident: {type: flood, merge_radius_m: 900, list: [a, "b, c"]}
note: |
  first
    second

owner: 'pak ''Anas'''
tests:
  - at: 1
    says: ya
  - tidak
`;

function fault(text: string): YamlFault {
  try {
    readYaml(text);
  } catch (caught) {
    if (caught instanceof YamlFault) return caught;
  }
  throw new Error("it was read");
}

describe("the YAML of rules", () => {
  it("is read with its comments left out, and knows where each key stands", () => {
    const { value, lines } = readYaml(RULE);
    expect(value).toEqual({
      id: "muka-air",
      when: 'obs.property == "water_level" && obs.value > 2.8',
      for: "30s",
      range: [0, 12.5],
      alert: {
        event: "Muka air naik",
        severity: "Severe",
        headline: "AWLR: {value} m # not a comment",
      },
      incident: { type: "flood", merge_radius_m: 900, list: ["a", "b, c"] },
      note: "first\n  second\n",
      owner: "pak 'Anas'",
      tests: [{ at: 1, says: "ya" }, "tidak"],
    });
    expect(lines.get("when")).toBe(3);
    expect(lines.get("alert.severity")).toBe(8);
    expect(lines.get("owner")).toBe(15);
  });

  it("reads JSON, which is YAML, over several lines", () => {
    expect(
      readYaml('{"id": "a",\n "alert": {"event": "x"},\n "n": 1.5}').value,
    ).toEqual({
      id: "a",
      alert: { event: "x" },
      n: 1.5,
    });
    expect(readYaml("").value).toBeNull();
  });

  it("refuses what it cannot read, with the line", () => {
    expect(fault("id: a\nid: b").line).toBe(2);
    expect(fault("id: a\n\twhen: x").line).toBe(2);
    expect(fault("id: a\n  when: x").line).toBe(2);
    expect(fault('id: "a').line).toBe(1);
    expect(fault("id: a\nrange: [1, 2").line).toBe(2);
    expect(fault("id: a\nonly words").line).toBe(2);
  });

  it("is written so that it reads the same", () => {
    const doc = {
      id: "a-1",
      when: 'obs.value > 3 && thing.kind == "awlr"',
      for: "1m30s",
      samples: 2,
      enabled: true,
      empty: "",
      yes: "true",
      colon: "a: b",
      range: [0, 1.5],
      alert: { event: "Air #1", parts: { deep: [1, "x, y"] } },
    };
    expect(readYaml(writeYaml(doc)).value).toEqual(doc);
    expect(writeYaml({ for: "1m30s", id: "5x" })).toBe(
      'for: 1m30s\nid: "5x"\n',
    );
  });
});
