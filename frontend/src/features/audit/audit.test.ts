import { afterEach, describe, expect, it, vi } from "vitest";
import { readRecord } from "../../api/audit";
import { linkOf } from "./links";
import { readSeal } from "./seal";
import { shiftChange } from "./shift";
import { EVERYTHING, readSought, writeSought } from "./sought";
import vectors from "./testdata/proofs.json";
import { fetchViews, VIEWS } from "./viewed";
import { actionWords, kinds } from "./words";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("acts in words", () => {
  it("says what it knows, and the rest as it is", () => {
    expect(actionWords("incident.closed")).toBe("Insiden: ditutup");
    expect(actionWords("incident.turned")).toBe("Insiden: turned");
    expect(actionWords("comet.seen")).toBe("comet.seen");
    expect(actionWords("closed")).toBe("closed");
    expect(kinds().every((k) => k.action.endsWith("."))).toBe(true);
  });
});

describe("the screen of an object", () => {
  it.each([
    ["incident:01J A", "/console?incident=01J+A"],
    ["alarm:01J", "/console?alarm=01J"],
    ["person:01J", "/admin?page=people&one=01J"],
    ["feed:bmkg", "/admin?feed=bmkg"],
    ["store:kt:incident:1", ""],
    ["incident:", ""],
    [":x", ""],
    ["", ""],
  ])("%s", (object, path) => {
    expect(linkOf(object)).toBe(path);
  });
});

describe("what is asked for stands in the address", () => {
  it("comes back as it was and leaves the rest alone", () => {
    const sought = {
      from: "2026-11-28T00:00:00.000Z",
      to: "2026-11-29T00:00:00.000Z",
      actor: "user:01J",
      action: "incident.",
      object: "report:a&b",
      agency: "bpbd",
      q: "banjir bandang",
    };
    const written = writeSought(sought, "?page=audit&lang=en");
    expect(readSought(written)).toEqual(sought);
    expect(written).toMatch(/^\?page=audit&lang=en&/);
    expect(writeSought(EVERYTHING, written)).toBe("?page=audit&lang=en");
  });

  it("leaves out what is no time", () => {
    expect(readSought("?from=kemarin&actor=x")).toEqual({
      ...EVERYTHING,
      actor: "x",
    });
  });
});

describe("a checkpoint to be photographed", () => {
  it("tells size, root and who confirmed it", () => {
    const proof = vectors.Proofs[5]?.Proof ?? "";
    const text = proof.slice(proof.indexOf("\n\n") + 2);
    expect(readSeal({ text, at: 5 })).toEqual({
      text,
      at: 5,
      size: 300,
      root: vectors.Proofs[5]?.Root,
      witnesses: ["saksi.example/w"],
    });
    expect(readSeal({ text: vectors.Empty, at: 5 })?.witnesses).toEqual([]);
    expect(readSeal({ text: "<html>", at: 5 })).toBeNull();
    expect(readSeal(null)).toBeNull();
  });

  it.each([
    ["06.59", false],
    ["07.00", true],
    ["07:09", true],
    ["07.10", false],
    ["15.05", true],
    ["23:00", true],
    ["00.00", false],
    ["", false],
  ])("at %s", (clock, shown) => {
    expect(shiftChange(clock)).toBe(shown);
  });
});

it("reads a record, and nothing of what is none", () => {
  const record = vectors.Proofs[0]?.Record ?? "";
  expect(readRecord(record)).toMatchObject({
    seq: 1,
    action: "incident.acknowledged",
    agency: "bpbd",
  });
  expect(readRecord("{")).toBeNull();
});

describe("who saw what", () => {
  const at = (n: number) => `2026-11-28T0${String(n)}:00:00.000Z`;

  it("tells nothing older than where a kind was cut off", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (path: string) => {
      const q = new URL(path, "http://localhost").searchParams;
      asked.push(q.get("action") ?? "");
      const answers: Record<string, object> = {
        "reporter.revealed": {
          items: [
            { seq: 9, time: at(9) },
            { seq: 5, time: at(5) },
          ],
          next_page: "x",
        },
        "attachment.viewed": {
          items: [
            { seq: 7, time: at(7) },
            { seq: 3, time: at(3) },
          ],
        },
      };
      const body = answers[q.get("action") ?? ""] ?? { items: [] };
      return Promise.resolve(new Response(JSON.stringify(body)));
    });
    const answer = await fetchViews(EVERYTHING);
    if (!answer.ok) throw new Error("no answer");
    expect(asked.sort()).toEqual([...VIEWS].sort());
    expect(answer.body.acts.map((a) => a.seq)).toEqual([9, 7, 5]);
    expect(answer.body.next).toBe("2026-11-28T05:00:00.001Z");
  });

  it("tells a fault and no half of it", async () => {
    vi.stubGlobal("fetch", () =>
      Promise.resolve(new Response("{}", { status: 503 })),
    );
    expect(await fetchViews(EVERYTHING)).toMatchObject({
      ok: false,
      status: 503,
    });
  });
});
