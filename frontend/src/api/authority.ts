// GET /api/v1/session/authority: the root of this house's own authority, for devices that shall trust it.

export const AUTHORITY = "/api/v1/session/authority";

export interface Root {
  /** SHA-256 of the certificate, as devices show it: "3F:A0:…". Empty: this browser does not work it out on a page without TLS. */
  fingerprint: string;
}

const TIMEOUT_MS = 8_000;

/** The bytes of the first certificate of a PEM; null: there is none. */
export function derOf(pem: string): Uint8Array<ArrayBuffer> | null {
  const body =
    /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(
      pem,
    )?.[1];
  if (!body) return null;
  return Uint8Array.from(atob(body.replace(/\s/g, "")), (c) => c.charCodeAt(0));
}

export async function fingerprintOf(
  der: Uint8Array<ArrayBuffer>,
): Promise<string> {
  // Browsers have no crypto.subtle on a page that came without TLS from another machine.
  if (!isSecureContext) return "";
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return Array.from(sum, (b) => b.toString(16).padStart(2, "0"))
    .join(":")
    .toUpperCase();
}

/** Null: TLS does not rest on an authority of our own here, or nobody answered. */
export async function fetchRoot(): Promise<Root | null> {
  try {
    const answer = await fetch(AUTHORITY, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const der = answer.ok ? derOf(await answer.text()) : null;
    return der && { fingerprint: await fingerprintOf(der) };
  } catch {
    return null;
  }
}
