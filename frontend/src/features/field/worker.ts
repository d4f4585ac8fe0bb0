// The service worker of /field: opens the page without a network, sends the outbox where the browser lets it, and tells of tasks that were pushed.
import { doc, text } from "../../api/read";
import { tellReceipt } from "./house";
import { readKnown } from "./keep";
import { CHANNEL, seeOut, send, SYNC } from "./post";

/** Every file that the page opens with, and a name for this set of them: the build writes both. */
declare const FIELD_FILES: readonly string[];
declare const FIELD_VERSION: string;

/** What we use of a worker's own types, which do not go together with those of a page. */
interface Waiting extends Event {
  waitUntil: (work: Promise<unknown>) => void;
}
interface Asked extends Waiting {
  request: Request;
  respondWith: (answer: Promise<Response>) => void;
}
interface Pushed extends Waiting {
  data: { text: () => string } | null;
}
interface Pressed extends Waiting {
  notification: Notification;
}
interface Window_ {
  url: string;
  focus: () => Promise<unknown>;
}
interface Worker_ {
  addEventListener: (type: string, run: (e: never) => void) => void;
  skipWaiting: () => Promise<void>;
  registration: ServiceWorkerRegistration;
  clients: {
    claim: () => Promise<void>;
    matchAll: (of: object) => Promise<Window_[]>;
    openWindow: (url: string) => Promise<unknown>;
  };
}
const worker = self as unknown as Worker_;

const PAGE = "/field";
const CACHE = `kentongan.field.${FIELD_VERSION}`;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...FIELD_FILES]);
  const page = await fetch(PAGE, { cache: "no-cache" });
  // A stranger is led to the sign-in page: that is not ours to keep.
  if (!page.ok || page.redirected) throw new Error("the page is not to be had");
  await cache.put(PAGE, page);
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith("kentongan.field.") && name !== CACHE)
      await caches.delete(name);
  }
  await worker.clients.claim();
}

/** The page and its files from the phone; anything else is the house's. */
async function answer(request: Request, path: string): Promise<Response> {
  const kept = await (await caches.open(CACHE)).match(path);
  return kept ?? fetch(request);
}

worker.addEventListener("install", (e: Waiting) => {
  e.waitUntil(install());
});
worker.addEventListener("activate", (e: Waiting) => {
  e.waitUntil(activate());
});
worker.addEventListener("fetch", (e: Asked) => {
  const { request } = e;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  const page = request.mode === "navigate" && url.pathname === PAGE;
  if (page || FIELD_FILES.includes(url.pathname))
    e.respondWith(answer(request, url.pathname));
});

worker.addEventListener("sync", (e: Waiting & { tag: string }) => {
  if (e.tag !== SYNC) return;
  e.waitUntil(
    Promise.all([send(true), seeOut()]).then(([{ status }, help]) => {
      // The browser tries again later where this fails.
      if (status === 0 || help !== null) throw new Error("nobody answers");
    }),
  );
});

/** A task is opened here, an alarm that has climbed at the desk. */
const OURS = [PAGE, "/console"];

/** Only our own pages are opened, whatever a message names. */
function own(url: string): string {
  const at = new URL(url || PAGE, location.origin);
  return at.origin === location.origin && OURS.includes(at.pathname)
    ? at.pathname + at.search
    : PAGE;
}

async function notify(said: string): Promise<void> {
  let told: unknown = null;
  try {
    told = JSON.parse(said);
  } catch {
    // What cannot be read is a knock all the same.
  }
  const d = doc(told);
  const at = Date.parse(text(d["at"]));
  await worker.registration.showNotification(
    text(d["title"]) || ((await readKnown<string>("notice")) ?? "Kentongan"),
    {
      body: text(d["body"]),
      tag: text(d["tag"]) || text(d["id"]) || "kentongan",
      icon: "/mark.svg",
      requireInteraction: text(d["kind"]) === "dispatch",
      data: { url: own(text(d["url"])) },
      ...(!Number.isNaN(at) && { timestamp: at }),
    },
  );
  new BroadcastChannel(CHANNEL).postMessage("look");
  if (text(d["kind"]) === "dispatch")
    await tellReceipt(text(d["id"]), "delivered", new Date().toISOString());
}

worker.addEventListener("push", (e: Pushed) => {
  e.waitUntil(notify(e.data?.text() ?? ""));
});

async function show(url: string): Promise<void> {
  const open = await worker.clients.matchAll({
    type: "window",
    includeUncontrolled: true,
  });
  const here = new URL(url, location.origin).pathname === PAGE;
  const page = here && open.find((w) => new URL(w.url).pathname === PAGE);
  if (page) await page.focus();
  else await worker.clients.openWindow(url);
  new BroadcastChannel(CHANNEL).postMessage("look");
}

worker.addEventListener("notificationclick", (e: Pressed) => {
  e.notification.close();
  e.waitUntil(show(own(text(doc(e.notification.data)["url"]))));
});
