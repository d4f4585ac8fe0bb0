// A live WebSocket as a channel, wherever it is held: by the page, or by a thread of its own (socket-worker.ts).

export interface Channel {
  /** Lost where the socket is not open. */
  send(text: string): void;
  close(): void;
}

export interface Hearer {
  opened(): void;
  bytes(bytes: ArrayBuffer): void;
  closed(code: number, reason: string): void;
}

export function openWebSocket(
  address: string,
  protocol: string,
  hearer: Hearer,
): Channel {
  const socket = new WebSocket(address, protocol);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    hearer.opened();
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) hearer.bytes(data);
  };
  socket.onclose = ({ code, reason }) => {
    hearer.closed(code, reason);
  };
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      socket.close();
    },
  };
}

/** What the page tells its thread: to open a socket and close the one before, to send, how many bytes it has read. `wire` numbers the sockets of a page. */
export type Asked =
  | { wire: number; open: string; protocol: string }
  | { wire: number; send: string }
  | { wire: number; read: number };

/** What the thread tells its page: first that its script runs. Bytes are handed over, not copied. */
export type Told =
  | { runs: true }
  | { wire: number; opened: true }
  | { wire: number; bytes: ArrayBuffer }
  | { wire: number; closed: number; reason: string };
