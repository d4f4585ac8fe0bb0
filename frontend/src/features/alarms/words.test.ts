import { describe, expect, it } from "vitest";
import type { IncidentType } from "../../api/incidents";
import { language } from "../../i18n/lang.svelte";
import { types } from "../../stores/types.svelte";
import { alarm } from "./queue.fixture";
import { eventWord, sourceWord } from "./words";

describe("the house's own alarms", () => {
  it("are called in the reader's language, whichever the house speaks", () => {
    const own = (event: string, code: string) =>
      eventWord(alarm("a", { event, code }));
    expect(own("Alarm flood", "flood")).toBe("Banjir alarm");
    expect(own("Chattering sensor: Alarm flood", "chattering")).toBe(
      "Sensor hilang-timbul: Alarm flood",
    );
    expect(own("awlr: Feed down", "feed")).toBe("awlr: Umpan data terputus");
    expect(own("Alarm flood", "")).toBe("Alarm flood");
    const names = { id: "TRC 1: DARURAT PERSONEL", en: "TRC 1: HELP" };
    expect(
      eventWord(alarm("a", { event: names.en, code: "panic", names })),
    ).toBe(names.id);
  });
  it("of an incident without a title are called by its type", () => {
    types.all = [{ code: "flood", id: "banjir", en: "flood" } as IncidentType];
    const own = (event: string) =>
      eventWord(alarm("a", { event, type: "flood" }));
    expect(own("banjir, Kubung")).toBe("Banjir, Kubung");
    language.set("en");
    expect(own("banjir, Kubung")).toBe("Flood, Kubung");
    expect(own("pH tinggi")).toBe("pH tinggi");
    expect(own("Banjir bandang")).toBe("Banjir bandang");
    language.set("id");
  });
  it("come from the system, and not from a code", () => {
    const a = alarm("a", { source: "house:flood" });
    expect(sourceWord(a, () => undefined)).toBe("dari sistem");
  });
  it("name the sensor also where it is not on the map", () => {
    const a = alarm("a", {
      thing: "awlr:dev-12",
      thing_name: "AWLR Lembang",
      rule: "",
    });
    expect(sourceWord(a, () => undefined)).toBe("AWLR Lembang");
    expect(sourceWord(a, () => ({ name: "Pos duga" }))).toBe("Pos duga");
  });
});
