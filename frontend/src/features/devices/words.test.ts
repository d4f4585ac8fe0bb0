import { describe, expect, it } from "vitest";
import { deviceOf, waitingOf } from "../../api/devices";
import {
  asking,
  codeOf,
  comes,
  inOrder,
  said,
  screenFrom,
  stateOf,
  wholeCode,
} from "./words";

describe("the code that a device shows", () => {
  it("is read as people type it", () => {
    expect(codeOf("kbtq93rf")).toBe("KBTQ-93RF");
    expect(codeOf(" kbtq-93rf ")).toBe("KBTQ-93RF");
    expect(codeOf("kb")).toBe("KB");
    expect(wholeCode("KBTQ-93RF")).toBe(true);
    expect(wholeCode("KBTQ-93R")).toBe(false);
  });

  it("leaves out letters that no code has", () => {
    expect(codeOf("ko1btaq")).toBe("KBTQ");
  });
});

describe("devices", () => {
  const now = Date.parse("2026-11-27T03:00:00Z");
  const device = (more: object) =>
    deviceOf({
      kind: "wall",
      enrolled_at: "2026-11-26T00:00:00Z",
      expires_at: "2027-11-26T00:00:00Z",
      ...more,
    });

  it("stand where they stand", () => {
    expect(stateOf(device({}), now)).toBe("known");
    expect(stateOf(device({ enrolled_at: null }), now)).toBe("waiting");
    expect(
      stateOf(
        device({ enrolled_at: null, expires_at: "2026-11-27T00:00:00Z" }),
        now,
      ),
    ).toBe("lapsed");
    expect(stateOf(device({ removed_at: "2026-11-27T00:00:00Z" }), now)).toBe(
      "removed",
    );
    expect(stateOf(device({ expires_at: "2026-11-27T00:00:00Z" }), now)).toBe(
      "over",
    );
  });

  it("come at any moment for a minute after they were let in", () => {
    const made = (at: string) => device({ enrolled_at: null, created_at: at });
    expect(comes(made("2026-11-27T02:59:30Z"), now)).toBe(true);
    expect(comes(made("2026-11-27T02:58:30Z"), now)).toBe(false);
    expect(comes(device({ created_at: "2026-11-27T02:59:30Z" }), now)).toBe(
      false,
    );
  });

  it("that are in use come first, the newest first", () => {
    const list = [
      device({ id: "gone", removed_at: "2026-11-27T00:00:00Z" }),
      device({ id: "old", created_at: "2026-01-01T00:00:00Z" }),
      device({ id: "new", created_at: "2026-02-01T00:00:00Z" }),
    ];
    expect(inOrder(list, now).map((d) => d.id)).toEqual(["new", "old", "gone"]);
  });

  it("that ask stand in the order in which their codes end, and not beyond", () => {
    const one = (name: string, expires_at: string) =>
      waitingOf({ kind: "field", name, from: "192.0.2.7", expires_at });
    const list = [
      one("later", "2026-11-27T03:09:00Z"),
      one("over", "2026-11-27T03:00:00Z"),
      one("soon", "2026-11-27T03:01:00Z"),
    ];
    expect(asking(list, now).map((w) => w.name)).toEqual(["soon", "later"]);
    expect(list[0]).toMatchObject({ kind: "field", address: "192.0.2.7" });
  });

  it("are let in once enough is said of their kind", () => {
    const none = {
      name: "x",
      screen: "",
      person: "",
      unit: "",
      feed: "",
      topics: [],
    };
    expect(said("wall", none)).toBe(false);
    expect(said("wall", { ...none, screen: "north" })).toBe(true);
    expect(said("field", { ...none, unit: "bpbd/trc-1" })).toBe(true);
    expect(said("broker", { ...none, screen: "north" })).toBe(false);
    expect(screenFrom("Dinding Utara, 1")).toBe("dinding-utara-1");
  });
});
