import { beforeEach, describe, expect, it } from "vitest";
import type { Grant } from "../../api/people";
import { language } from "../../i18n/lang.svelte";
import { ability, grantWords, listed, sameGrants, type Names } from "./roles";

const NOW = Date.parse("2026-11-27T03:00:00Z");
const names: Names = {
  agency: (slug) => slug.toUpperCase(),
  type: (code) =>
    ({ flood: "banjir", domestic_violence: "KDRT" })[code] ?? code,
  restricted: ["domestic_violence"],
  zone: "Asia/Jakarta",
  now: NOW,
};
const grant = (role: string, more: Partial<Grant> = {}): Grant => ({
  role,
  agency: "",
  areas: [],
  types: [],
  until: "",
  ...more,
});

beforeEach(() => {
  language.set("id");
});

describe("what somebody will be able to do", () => {
  it("says the bounds of a role: agency, kecamatan, types, end", () => {
    const one = grant("dispatcher", {
      agency: "bpbd",
      areas: ["Kubung", "Danau Kembar"],
      types: ["flood"],
      until: "2026-12-01T07:00:00Z",
    });
    expect(grantWords(one, names)).toBe(
      "petugas penugasan, untuk BPBD, di Kubung dan Danau Kembar, hanya jenis banjir, sampai Selasa, 1 Des 2026 14.00",
    );
  });

  it("is one sentence for all roles, and names the restricted types that stay shut", () => {
    const told = ability(
      "Sari",
      [grant("liaison", { agency: "dinkes" }), grant("operator")],
      names,
    );
    expect(told).toMatch(/^Sari akan dapat melihat penuh insiden instansinya/);
    expect(told).toContain("(untuk DINKES); menerima dan menilai alarm");
    expect(told).toContain("Tidak termasuk jenis yang dibatasi: KDRT.");
  });

  it("leaves out that sentence where a grant names the restricted type", () => {
    const told = ability(
      "Sari",
      [
        grant("supervisor"),
        grant("supervisor", { types: ["domestic_violence"] }),
      ],
      names,
    );
    expect(told).not.toContain("dibatasi");
  });

  it("says that whoever configures or audits acts on nothing", () => {
    const told = ability("Adi", [grant("admin"), grant("dispatcher")], names);
    expect(told).toContain(
      "Sebagai administrator tidak dapat bertindak atas insiden dan laporan.",
    );
  });

  it("counts a role whose end is past as none", () => {
    const past = grant("operator", { until: "2026-11-27T02:59:59Z" });
    expect(ability("Adi", [past], names)).toBe(
      "Adi tidak akan dapat melakukan apa pun.",
    );
    expect(grantWords(past, names)).toContain("berakhir");
  });

  it("speaks English too", () => {
    language.set("en");
    expect(ability("Adi", [grant("auditor")], names)).toBe(
      "Adi will be able to read the audit log, and incidents without personal words.",
    );
  });

  it("counts what a list leaves out", () => {
    expect(listed(["A"])).toBe("A");
    expect(listed(["A", "B", "C"])).toBe("A, B dan C");
    expect(listed(["A", "B", "C", "D", "E"])).toBe("A, B, C dan 2 lainnya");
  });

  it("knows equal roles in any order of their bounds", () => {
    const a = grant("field", { agency: "bpbd", areas: ["X", "Y"] });
    const b = grant("field", { agency: "bpbd", areas: ["Y", "X"] });
    expect(sameGrants([a], [b])).toBe(true);
    expect(sameGrants([a], [grant("field", { agency: "bpbd" })])).toBe(false);
  });
});
