import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Wire } from "./socket";

/** A browser's WebSocket by hand; bound, so that it says of itself that it is the browser's own. */
class Socket {
  static all: Socket[] = [];
  binaryType = "";
  readyState = 1;
  sent: string[] = [];
  closed = 0;
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  constructor(readonly address: string) {
    Socket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.closed++;
  }
}
const own = Object.assign(Socket.bind(null), { OPEN: 1 });

/** A thread that runs socket-worker.ts in the page's own realm; what is said between them arrives at once. */
class Thread {
  static all: Thread[] = [];
  static broken = false;
  /** What the page says while no script runs yet. */
  static late: unknown[] | null = null;
  ended = false;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  scope: {
    onmessage: ((e: { data: unknown }) => void) | null;
    postMessage: (data: unknown) => void;
  } = {
    onmessage: null,
    postMessage: (data) => {
      if (!this.ended) this.onmessage?.({ data });
    },
  };
  constructor() {
    Thread.all.push(this);
  }
  postMessage(data: unknown): void {
    if (Thread.late) Thread.late.push(data);
    else if (!Thread.broken && !this.ended) this.scope.onmessage?.({ data });
  }
  terminate(): void {
    this.ended = true;
  }
}

let openWire: (address: string, protocol: string) => Wire;

/** Opens, and runs the script of a thread that was begun for it before it hears the page. */
async function opened(): Promise<Wire & { heard: unknown[] }> {
  const late: unknown[] = (Thread.late = []);
  const wire = openWire("ws://house/live", "v1");
  Thread.late = null;
  const thread = Thread.all.at(-1);
  if (thread && !thread.scope.onmessage) {
    vi.stubGlobal("self", thread.scope);
    vi.resetModules();
    await import("./socket-worker");
    vi.unstubAllGlobals();
    browser();
  }
  const heard: unknown[] = [];
  wire.onopen = () => heard.push("open");
  wire.onmessage = (bytes) => heard.push([...bytes]);
  wire.onclose = (code, reason) => heard.push([code, reason]);
  for (const data of late) thread?.postMessage(data);
  return Object.assign(wire, { heard });
}

function browser(socket: unknown = own): void {
  vi.stubGlobal("WebSocket", socket);
  vi.stubGlobal("Worker", Thread);
}

beforeEach(async () => {
  Socket.all = [];
  Thread.all = [];
  Thread.broken = false;
  browser();
  vi.resetModules();
  ({ openWire } = await import("./wires"));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const bytes = (...list: number[]) => ({
  data: Uint8Array.from(list).buffer,
});

it("hears through one thread, whole messages in their order", async () => {
  const wire = await opened();
  const [socket] = Socket.all;
  expect(Thread.all).toHaveLength(1);
  expect(socket?.address).toBe("ws://house/live");
  expect(socket?.binaryType).toBe("arraybuffer");
  socket?.onopen?.();
  socket?.onmessage?.(bytes(1, 2));
  socket?.onmessage?.({ data: "text is no message" });
  socket?.onmessage?.(bytes(3));
  wire.send("ping");
  socket?.onclose?.({ code: 1001, reason: "going" });
  expect(socket?.sent).toEqual(["ping"]);
  expect(wire.heard).toEqual(["open", [1, 2], [3], [1001, "going"]]);
});

it("passes over what a socket says that was given up", async () => {
  const first = await opened();
  Socket.all[0]?.onopen?.();
  Socket.all[0]?.onclose?.({ code: 1006, reason: "" });
  first.close();
  const second = await opened();
  expect(Thread.all).toHaveLength(1);
  expect(Socket.all[0]?.closed).toBe(1);
  Socket.all[0]?.onmessage?.(bytes(1));
  first.send("too late");
  Socket.all[1]?.onmessage?.(bytes(2));
  expect(first.heard).toEqual(["open", [1006, ""]]);
  expect(second.heard).toEqual([[2]]);
  expect(Socket.all[1]?.sent).toEqual([]);
});

it("does without a thread whose script does not run", async () => {
  const wire = await opened();
  const before = Socket.all.length;
  Thread.all[0]?.onerror?.();
  expect(Thread.all[0]?.ended).toBe(true);
  const socket = Socket.all[before];
  socket?.onmessage?.(bytes(7));
  wire.send("view");
  expect(wire.heard).toEqual([[7]]);
  expect(socket?.sent).toEqual(["view"]);
  openWire("ws://house/live", "v1");
  expect(Thread.all).toHaveLength(1);
});

it("ends a thread that hangs, and begins another; what it says later is nothing", async () => {
  const wire = await opened();
  Socket.all[0]?.onopen?.();
  const [hangs] = Thread.all;
  const late = hangs?.onerror;
  wire.close();
  wire.close();
  expect(hangs?.ended).toBe(true);
  expect(hangs?.onerror).toBeNull();
  expect(late).not.toBeNull();
  const next = await opened();
  expect(Thread.all).toHaveLength(2);
  Socket.all.at(-1)?.onopen?.();
  expect([wire.heard, next.heard]).toEqual([["open"], ["open"]]);
});

it("does without a thread whose script is not there in time", () => {
  Thread.broken = true;
  openWire("ws://house/live", "v1").close();
  expect(Thread.all[0]?.ended).toBe(true);
  const sockets = Socket.all.length;
  openWire("ws://house/live", "v1");
  expect(Thread.all).toHaveLength(1);
  expect(Socket.all).toHaveLength(sockets + 1);
});

it("does without a thread where none can be begun", () => {
  vi.stubGlobal("Worker", function refused() {
    throw new DOMException("no", "SecurityError");
  });
  openWire("ws://house/live", "v1");
  expect(Socket.all).toHaveLength(1);
});

it("gives up a socket whose page does not read, and tells what came before", async () => {
  const wire = await opened();
  const [socket] = Socket.all;
  const [thread] = Thread.all;
  const mega = { data: new ArrayBuffer(1 << 20) };
  wire.onmessage = ({ length }) => wire.heard.push(length);
  // Read as it comes: no end of it.
  for (let i = 0; i < 40; i++) socket?.onmessage?.(mega);
  expect(socket?.closed).toBe(0);
  expect(wire.heard).toHaveLength(40);
  const queue: unknown[] = [];
  const hears = thread?.onmessage;
  if (thread) thread.onmessage = (e) => queue.push(e);
  for (let i = 0; i < 40; i++) socket?.onmessage?.(mega);
  expect(socket?.closed).toBe(1);
  expect(queue).toHaveLength(17);
  for (const e of queue) hears?.(e as { data: unknown });
  socket?.onclose?.({ code: 1005, reason: "" });
  hears?.(queue.at(-1) as { data: unknown });
  expect(wire.heard).toHaveLength(58);
});

it("uses a WebSocket that was put in the browser's place", async () => {
  browser(Socket);
  vi.stubGlobal("WebSocket", Object.assign(Socket, { OPEN: 1 }));
  const wire = await opened();
  Socket.all[0]?.onopen?.();
  expect(Thread.all).toHaveLength(0);
  expect(wire.heard).toEqual(["open"]);
});
