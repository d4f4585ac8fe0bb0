import { describe, expect, it } from "vitest";
import type { IncidentType } from "../../api/incidents";
import type { Incident } from "../../wire/wire";
import { changes, newer } from "./changes";
import { active, duplicates, NO_FILTERS, shown } from "./filter";
import { alarmOf, readPlace, writePlace } from "./link";
import { titled } from "./words";

const make = (id: string, more: Partial<Incident> = {}): Incident =>
  ({
    id,
    number: `SLK-2026-000${id}`,
    type: "flood",
    title: "Banjir, Selayo",
    severity: "Severe",
    status: "acknowledged",
    version: 2,
    area_name: "Kubung",
    opened_at: "2026-11-22T07:00:00.000Z",
    updated_at: "2026-11-22T07:00:00.000Z",
    location: { lng: 100.63, lat: -0.83 },
    simulated: false,
    timeline: [],
    ...more,
  }) as unknown as Incident;

const ids = (list: Incident[]) => list.map((i) => i.id).join(" ");

describe("an address that leads to an alarm", () => {
  it("names it, and is followed once", () => {
    expect(alarmOf("?alarm=01JD&lang=en")).toBe("01JD");
    expect(alarmOf("")).toBe("");
    expect(writePlace(readPlace(""), "?alarm=01JD&lang=en")).toBe("?lang=en");
  });
});

describe("the list's filters", () => {
  const all = [
    make("415", { owner: "user:dewi" }),
    make("418", { severity: "Extreme", type: "flash_flood", status: "new" }),
    make("420", { severity: "Minor", area_name: "Talang", simulated: true }),
  ];
  it.each([
    [{}, "418 415 420"],
    [{ status: "new" }, "418"],
    [{ severity: "Minor" }, "420"],
    [{ type: "flood" }, "415 420"],
    [{ area: "Talang" }, "420"],
    [{ kind: "real" }, "418 415"],
    [{ kind: "simulated" }, "420"],
    [{ mine: true }, "415"],
    [{ text: "418" }, "418"],
    [{ text: " SELAYO " }, "418 415 420"],
    [{ text: "flash" }, "418"],
  ] as const)("%j shows %s", (some, want) => {
    const filters = { ...NO_FILTERS, ...some };
    expect(ids(shown(all, filters, "user:dewi"))).toBe(want);
    expect(active(filters)).toBe(Object.keys(some).length);
  });
  it("calls nothing mine while nobody is known", () => {
    const filters = { ...NO_FILTERS, mine: true };
    expect(shown([make("1", { owner: "" })], filters, "")).toEqual([]);
  });
});

describe("what is left of an incident", () => {
  const types = [
    {
      code: "fire_building",
      id: "kebakaran bangunan",
      en: "building fire",
      restricted: false,
    },
  ] as unknown as IncidentType[];
  const type = "fire_building";
  const title = "Kebakaran bangunan";

  it("is called by its type in the reader's language", () => {
    const coarse = make("1", { version: 0, type, title });
    expect(titled(coarse, types, "en").title).toBe("Building fire");
    expect(titled(coarse, types, "id").title).toBe("Kebakaran bangunan");
    const [row] = shown(
      [titled(coarse, types, "en")],
      { ...NO_FILTERS, text: "building" },
      "",
    );
    expect(row?.id).toBe("1");
  });
  it("that is whole, or reads people's own words, keeps them", () => {
    const whole = make("2", {
      type,
      title: "Rumah Pak Karim",
      why: { rule: "", person: "", inputs: [] } as unknown as Incident["why"],
    });
    const help = { ...whole, title: "Darurat personel TRC 1, Kubung" };
    expect(titled(help, types, "en").title).toBe(
      "Crew in distress TRC 1, Kubung",
    );
    expect(titled(help, types, "id")).toBe(help);
    expect(titled(whole, types, "en")).toBe(whole);
    const made = { ...whole, title: "kebakaran bangunan, Kubung" };
    expect(titled(made, types, "en").title).toBe("Building fire, Kubung");
    expect(titled(made, types, "id").title).toBe("Kebakaran bangunan, Kubung");
    expect(titled({ ...whole, title }, types, "en").title).toBe(
      "Building fire",
    );
  });
  it("keeps the house's word where the table is not here", () => {
    const coarse = make("3", { version: 0, type, title: "kebakaran" });
    expect(titled(coarse, [], "en").title).toBe("Kebakaran");
  });
});

describe("the hint of a duplicate", () => {
  const list = [
    make("1", { location: { lng: 100.64, lat: -0.83 } }),
    make("2"),
    make("3", { location: { lng: 100.65, lat: -0.83 } }),
    make("4", { type: "eq" }),
    make("5", { location: null }),
  ];
  it("names open ones of the type within 1.5 km, the nearest first", () => {
    const near = duplicates(list, "flood", { lng: 100.631, lat: -0.83 });
    expect(near.map((n) => n.incident.id)).toEqual(["2", "1"]);
  });
  it("needs a type and a place", () => {
    expect(duplicates(list, "flood", null)).toEqual([]);
    expect(duplicates(list, "", { lng: 100.63, lat: -0.83 })).toEqual([]);
  });
});

describe("the desk in an address", () => {
  it("comes back as it was", () => {
    const search =
      "?lang=en&incident=01J&thing=awlr%3A1&status=resolved&severity=Extreme&type=flood&area=IX+Koto&kind=real&mine=1&q=418&view=100.4000%2C-1.3000%2C101.2000%2C-0.5000";
    const place = readPlace(search);
    expect(place.filters.area).toBe("IX Koto");
    expect(place.view).toEqual([100.4, -1.3, 101.2, -0.5]);
    expect(writePlace(place, search)).toBe(search);
  });
  it("bears nonsense", () => {
    const place = readPlace(
      "?status=flying&severity=Bad&kind=x&view=1,2,3&mine=yes",
    );
    expect(place.filters).toEqual(NO_FILTERS);
    expect(place.view).toBeNull();
    expect(writePlace(place, "")).toBe("");
    expect(readPlace("?view=9,0,1,1").view).toBeNull();
  });
});

describe("what changed", () => {
  it("names status, owner and the new lines", () => {
    const entry = { at: null, actor: "user:dewi", act: "resolved", note: "" };
    const seen = make("1");
    const now = make("1", {
      status: "resolved",
      owner: "user:dewi",
      timeline: [entry],
      version: 3,
    });
    expect(changes(seen, now)).toEqual({
      status: { from: "acknowledged", to: "resolved" },
      severity: null,
      title: null,
      owner: { from: "", to: "user:dewi" },
      entries: [entry],
    });
    expect(newer(seen, now)).toBe(now);
    expect(newer(now, seen)).toBe(now);
    expect(newer(null, seen)).toBe(seen);
    const later = make("1", { updated_at: "2026-11-22T07:01:00.000Z" });
    expect(newer(seen, later)).toBe(later);
  });
});
