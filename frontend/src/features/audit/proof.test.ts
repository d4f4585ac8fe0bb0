import { afterEach, describe, expect, it, vi } from "vitest";
import vectors from "./testdata/proofs.json";
import {
  Malformed,
  parseCheckpoint,
  parseKey,
  parseProof,
  verify,
} from "./proof";

afterEach(() => {
  vi.restoreAllMocks();
});

const last = vectors.Proofs[5];
if (!last) throw new Error("vectors");
const { Key: key } = vectors;
/** Another character of base64 at a place. */
const bent = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

describe("proofs that the house's own log made", () => {
  it.each(vectors.Proofs)("record $Index of $Size", async (v) => {
    const out = await verify(v.Record, v.Proof, key);
    expect(out).toMatchObject({ proven: true, signed: "yes", fault: "" });
    expect(out.checkpoint?.size).toBe(v.Size);
    expect(out.checkpoint?.rootText).toBe(v.Root);
    expect(out.checkpoint?.signatures.length).toBe(2);
  });

  it.each(vectors.Proofs)(
    "no byte of record $Index of $Size may differ",
    async (v) => {
      for (let at = 0; at < v.Record.length; at += 7) {
        const out = await verify(bent(v.Record, at), v.Proof, key);
        expect(out).toMatchObject({ proven: false, fault: "root" });
      }
    },
  );

  it("reads the checkpoint of an empty log", () => {
    const c = parseCheckpoint(vectors.Empty);
    expect(c).toMatchObject({ origin: "contoh.go.id/log", size: 0 });
  });
});

describe("what was bent", () => {
  it("another index, a hash more or less, another hash", async () => {
    const { Proof: proof, Record: record } = last;
    const lines = proof.split("\n");
    const without = [...lines.slice(0, 3), ...lines.slice(4)].join("\n");
    const twice = [...lines.slice(0, 3), ...lines.slice(2)].join("\n");
    const other = [
      ...lines.slice(0, 2),
      bent(lines[2] ?? "", 3),
      ...lines.slice(3),
    ].join("\n");
    const moved = proof.replace("index 257", "index 256");
    const beyond = proof.replace("index 257", "index 300");
    for (const p of [without, twice, other, moved, beyond])
      expect(await verify(record, p, key)).toMatchObject({
        proven: false,
        fault: "root",
      });
  });

  it("a checkpoint that the key has not signed", async () => {
    const { Proof: proof, Record: record } = last;
    const cut = proof.lastIndexOf("— contoh.go.id/log ");
    const forged = bent(proof, cut + 40);
    for (const [p, k] of [
      [forged, key],
      [proof, vectors.Other],
    ] as const)
      expect(await verify(record, p, k)).toMatchObject({
        proven: false,
        signed: "no",
        fault: "signature",
      });
  });

  it("another size or root under the same signature", async () => {
    const one = vectors.Proofs[2];
    if (!one) throw new Error("vectors");
    const grown = one.Proof.replace("\n7\n", "\n8\n");
    const out = await verify(one.Record, grown, key);
    expect(out.proven).toBe(false);
  });

  it("texts that are none", async () => {
    for (const text of [
      "",
      "c2sp.org/tlog-proof@v1\n\n",
      "c2sp.org/tlog-proof@v2\nindex 0\n\n",
      "c2sp.org/tlog-proof@v1\nindex 01\n\n",
      "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n",
      "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\n",
      `c2sp.org/tlog-proof@v1\nindex 0\n${"A".repeat(43)}=\n`,
    ])
      expect(() => parseProof(text)).toThrow(Malformed);
    for (const text of [
      "",
      "a\n1\nAAAA\n\n— a AAAA\n",
      `a b\n1\n${"A".repeat(43)}=\n\n— a AAAAAAA=\n`,
    ])
      expect(() => parseCheckpoint(text)).toThrow(Malformed);
    for (const text of [
      "",
      "a+00000000+AAAA",
      key.replace(/\+[0-9a-f]{8}\+/, "+00000000+"),
    ])
      await expect(parseKey(text)).rejects.toThrow(Malformed);
    expect(await verify(last.Record, "", key)).toMatchObject({
      proven: false,
      fault: "malformed",
    });
  });

  it("an extra that rides along proves nothing and hinders nothing", async () => {
    const { Proof: proof, Record: record } = last;
    const more = proof.replace("\nindex", "\nextra aGFsbw==\nindex");
    expect((await verify(record, more, key)).proven).toBe(true);
  });
});

describe("a browser without the means", () => {
  it("says that the signature was not checked", async () => {
    vi.spyOn(crypto.subtle, "importKey").mockRejectedValue(
      new DOMException("no Ed25519", "NotSupportedError"),
    );
    const out = await verify(last.Record, last.Proof, key);
    expect(out).toMatchObject({ proven: true, signed: "unknown" });
  });

  it("proves nothing where it cannot hash", async () => {
    vi.spyOn(crypto.subtle, "digest").mockRejectedValue(new Error("none"));
    const out = await verify(last.Record, last.Proof, key);
    expect(out).toMatchObject({ proven: false, fault: "browser" });
  });
});
