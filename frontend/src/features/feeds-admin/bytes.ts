// Bytes of a file that somebody drops: text where they are text, else base64.

export interface Bytes {
  body: string;
  base64: string;
}

export function readBytes(bytes: Uint8Array): Bytes {
  try {
    const body = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!body.includes("\0")) return { body, base64: "" };
  } catch {
    // No UTF-8: below.
  }
  let binary = "";
  const STEP = 8_192;
  for (let i = 0; i < bytes.length; i += STEP) {
    binary += String.fromCharCode(...bytes.subarray(i, i + STEP));
  }
  return { body: "", base64: btoa(binary) };
}
