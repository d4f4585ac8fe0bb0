// @vitest-environment node
import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { derOf, fingerprintOf } from "./authority";

const PEM = `-----BEGIN CERTIFICATE-----\n${btoa("not a real one, but bytes")}\n-----END CERTIFICATE-----\n`;

describe("the root of the house's authority", () => {
  it("is known by the SHA-256 of its bytes, not of its text", async () => {
    vi.stubGlobal("isSecureContext", true);
    const der = derOf(PEM);
    const want = createHash("sha256")
      .update("not a real one, but bytes")
      .digest("hex")
      .toUpperCase()
      .replace(/(..)(?=.)/g, "$1:");
    expect(der && (await fingerprintOf(der))).toBe(want);
  });

  it("is none where no certificate came", () => {
    expect(derOf('{"title":"there is no authority to trust"}')).toBeNull();
  });
});
