// Being told of tasks while the page is closed: Web Push (RFC 8030) under the house's own key (RFC 8292). Asked for only where somebody presses for it.
import { call } from "../../api/call";
import { doc, text } from "../../api/read";
import { language } from "../../i18n/lang.svelte";

/** `none`: this browser, or this address, has no push. */
export type Telling = "none" | "off" | "on" | "denied" | "failed";

const ROOT = "/api/v1/push";

const bytes = (base64url: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (c) =>
    c.charCodeAt(0),
  );

const able = (): boolean =>
  "serviceWorker" in navigator &&
  "PushManager" in window &&
  "Notification" in window;

async function manager(): Promise<PushManager | null> {
  const worker = await navigator.serviceWorker.getRegistration("/field");
  return worker?.pushManager ?? null;
}

/** How it stands now; asks nobody for anything. */
export async function telling(): Promise<Telling> {
  if (!able()) return "none";
  if (Notification.permission === "denied") return "denied";
  try {
    return (await (await manager())?.getSubscription()) ? "on" : "off";
  } catch {
    return "none";
  }
}

/** Tells the house where this phone is reached; true once it knows. */
async function enter(of: PushSubscription): Promise<boolean> {
  const { endpoint, keys } = of.toJSON();
  const lang = language.current;
  const said = { endpoint, keys, lang };
  return (await call("POST", `${ROOT}/subscriptions`, said)).ok;
}

/** Asks for leave and subscribes: only from a press. */
export async function tellMe(): Promise<Telling> {
  if (!able()) return "none";
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  try {
    const from = await manager();
    const key = await call<unknown>("GET", `${ROOT}/key`);
    if (!from || !key.ok) return "failed";
    const applicationServerKey = bytes(text(doc(key.body)["key"]));
    const made = await from.subscribe({
      userVisibleOnly: true,
      applicationServerKey,
    });
    if (await enter(made)) return "on";
    // A subscription that the house does not know would look like one that works.
    await made.unsubscribe();
    return "failed";
  } catch {
    return "failed";
  }
}

/** The browser may have changed where it is reached: the house is told each time that the page opens. */
export async function renew(): Promise<void> {
  if (!able()) return;
  const now = await (await manager())?.getSubscription();
  if (now) await enter(now);
}
