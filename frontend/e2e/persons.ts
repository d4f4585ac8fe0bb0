// Somebody of their own in a browser of their own: an invitation is taken up, with a second factor where the role asks for one.
import { createHmac } from "node:crypto";
import type { BrowserContext, Page } from "playwright-core";
import type { House } from "./house";

const PASSWORD = "tiga gajah makan nasi";

/** Time-based one-time password (RFC 6238), SHA-1, six digits, 30 s. */
function totp(secret: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(secret.replace(/[\s=]/g, ""))
    .map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from(
    (bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)),
  );
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(step).digest();
  const from = (mac.at(-1) ?? 0) & 15;
  const value = (mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000;
  return String(value).padStart(6, "0");
}

/** A browser of somebody's own, signed in by an invitation; with an app as second factor where it is asked for. */
export async function enters(
  house: House,
  link: string,
  second: boolean,
  viewport = { width: 1280, height: 800 },
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await house.browser.newContext({
    viewport,
    reducedMotion: "reduce",
  });
  const post = async (path: string, data: object) => {
    const answer = await context.request.post(
      `${house.base}/api/v1/session${path}`,
      { headers: { origin: house.base }, data },
    );
    if (!answer.ok())
      throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  };
  const code = new URL(link).searchParams.get("code") ?? "";
  await post("/reset", { code, password: PASSWORD });
  if (second) {
    const { secret } = await post("/totp", {});
    await post("/totp", { code: totp(secret ?? "") });
  }
  return { context, page: await context.newPage() };
}
