// The page's live sockets: each held by a thread (socket-worker.ts), or by the page itself where there is none.
import type { Wire } from "./socket";
import {
  openWebSocket,
  type Asked,
  type Channel,
  type Hearer,
  type Told,
} from "./websocket";

/** The thread of this page: undefined before it was asked for, null where the page does without. */
let thread: Worker | null | undefined;
let last = 0;

/** A WebSocket that somebody has put in the browser's place, as tests do, is one of the page: no thread would use it. */
const native = () =>
  Function.prototype.toString.call(WebSocket).includes("[native code]");

function threadOfPage(): Worker | null {
  thread ??=
    thread === undefined && typeof Worker === "function" && native()
      ? new Worker(new URL("./socket-worker.ts", import.meta.url), {
          type: "module",
        })
      : null;
  return thread;
}

/** Opens a socket; its events come to the wire, later than whoever opened it has set what hears them. */
export function openWire(address: string, protocol: string): Wire {
  const wire: Wire = {
    send: (text) => {
      channel.send(text);
    },
    close: () => {
      channel.close();
    },
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  const hearer: Hearer = {
    opened: () => wire.onopen?.(),
    bytes: (bytes) => wire.onmessage?.(new Uint8Array(bytes)),
    closed: (code, reason) => wire.onclose?.(code, reason),
  };
  const byPage = () => openWebSocket(address, protocol, hearer);
  const worker = threadOfPage();
  let channel = worker
    ? byThread(worker, address, protocol, hearer, () => {
        channel = byPage();
      })
    : byPage();
  return wire;
}

/** `onlost`: the page does without a thread from here on. */
function byThread(
  worker: Worker,
  address: string,
  protocol: string,
  hearer: Hearer,
  onlost: () => void,
): Channel {
  const wire = ++last;
  let answered = false;
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.wire !== wire) return;
    answered = true;
    if ("bytes" in data) hearer.bytes(data.bytes);
    else if ("opened" in data) hearer.opened();
    else hearer.closed(data.closed, data.reason);
  };
  // Its script did not come, or did not run.
  worker.onerror = () => {
    worker.terminate();
    thread = null;
    onlost();
  };
  const ask = (asked: Asked) => {
    worker.postMessage(asked);
  };
  ask({ wire, open: address, protocol });
  return {
    send: (text) => {
      ask({ wire, send: text });
    },
    close: () => {
      if (answered) {
        ask({ wire, close: true });
        return;
      }
      // Whatever it is stuck at ends with it; the next socket gets another.
      worker.terminate();
      if (thread === worker) thread = undefined;
    },
  };
}
