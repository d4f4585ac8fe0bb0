// The state machine's surroundings in a real browser.
import { Live, type Surroundings, type Wire } from "./socket";

const PROTOCOL = "kentongan.v1";

/** The live address beside the page: ws for http, wss for https. */
export function liveAddress(page: URL): string {
  const address = new URL("/api/v1/live?format=json", page);
  address.protocol = page.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

function openSocket(): Wire {
  const socket = new WebSocket(liveAddress(new URL(location.href)), PROTOCOL);
  const wire: Wire = {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      socket.close();
    },
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  socket.onopen = () => wire.onopen?.();
  socket.onmessage = (event: MessageEvent<unknown>) => {
    if (typeof event.data === "string") wire.onmessage?.(event.data);
  };
  socket.onclose = (event) => wire.onclose?.(event.code);
  return wire;
}

export function browserLive(
  handlers: Pick<Surroundings, "onMessage" | "onChange" | "onRefused">,
): Live {
  return new Live({
    ...handlers,
    open: openSocket,
    now: () => performance.now(),
    random: () => Math.random(),
    every: (ms, run) => {
      const timer = setInterval(run, ms);
      return () => {
        clearInterval(timer);
      };
    },
  });
}
