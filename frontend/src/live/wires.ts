// The page's live sockets: each held by a thread (socket-worker.ts), or by the page itself where there is none.
import type { Wire } from "./socket";
import {
  openWebSocket,
  type Asked,
  type Channel,
  type Hearer,
  type Told,
} from "./websocket";

/** The thread of this page: undefined where the next socket begins one, null where the page does without. */
let thread: Worker | null | undefined;
/** Its script runs. */
let runs = false;
let last = 0;

/** A WebSocket that somebody has put in the browser's place, as tests do, is one of the page: no thread would use it. */
const native = () =>
  Function.prototype.toString.call(WebSocket).includes("[native code]");

function begun(): Worker | null {
  if (typeof Worker !== "function" || !native()) return null;
  try {
    return new Worker(new URL("./socket-worker.ts", import.meta.url), {
      type: "module",
    });
  } catch {
    return null;
  }
}

function threadOfPage(): Worker | null {
  if (thread !== undefined) return thread;
  runs = false;
  return (thread = begun());
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
  let closed = false;
  const ask = (asked: Asked) => {
    worker.postMessage(asked);
  };
  const end = () => {
    worker.onmessage = worker.onerror = null;
    worker.terminate();
  };
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if ("runs" in data) runs = true;
    else if (data.wire !== wire || closed) return;
    else if ("bytes" in data) {
      const read = data.bytes.byteLength;
      hearer.bytes(data.bytes);
      ask({ wire, read });
    } else if ("opened" in data) hearer.opened();
    else {
      closed = true;
      hearer.closed(data.closed, data.reason);
    }
  };
  // Its script did not come, or did not run.
  worker.onerror = () => {
    end();
    thread = null;
    if (!closed) onlost();
  };
  ask({ wire, open: address, protocol });
  return {
    send: (text) => {
      ask({ wire, send: text });
    },
    close: () => {
      if (closed) return;
      closed = true;
      // Given up while open: whatever it hangs on ends with it. A script that has not come by now is on a slow line: the page does without.
      end();
      thread = runs ? undefined : null;
    },
  };
}
