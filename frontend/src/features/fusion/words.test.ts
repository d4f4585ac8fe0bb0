import { describe, expect, it } from "vitest";
import { reasonWord, toldWords } from "./words";

const named = (code: string) => ({ flood: "Banjir" })[code] ?? code;

describe("why a piece belongs to an incident", () => {
  it("is told with figures and types in the reader's language", () => {
    expect(reasonWord({ code: "soon", text: "", value: "12 min" }, named)).toBe(
      "selisih waktu: 12 mnt",
    );
    expect(
      reasonWord(
        { code: "kin_type", text: "", value: "flood/landslide" },
        named,
      ),
    ).toBe("jenis serumpun: Banjir, landslide");
    expect(
      reasonWord(
        { code: "independent", text: "", value: "01M8H9YJ2CY5G28P2APT9NG8V4" },
        named,
      ),
    ).toBe("sumber yang belum bersuara");
    expect(
      reasonWord({ code: "new", text: "as it came", value: "" }, named),
    ).toBe("as it came");
  });
  it("is read from what the incident keeps, and from its timeline", () => {
    expect(
      toldWords(
        "accepted by a person; same type: flood (+0.40); 1220 m apart, of 1500 m (-0.10); 3 min apart (+0.20): air naik",
        named,
      ),
    ).toBe(
      "diterima oleh orang; jenis sama: Banjir (0,40); jarak: 1.220 m (-0,10); selisih waktu: 3 mnt (0,20): air naik",
    );
    expect(toldWords("split from SLK-2026-000017", named)).toBe(
      "dipisahkan dari SLK-2026-000017",
    );
    expect(toldWords("Pak Zul: air naik; cepat", named)).toBe(
      "Pak Zul: air naik; cepat",
    );
  });
});
