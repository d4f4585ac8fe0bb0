// Holds the live socket on a thread of its own: what the network brings in pieces is put together here, and the page gets whole messages
// (DECISIONS.md, 92).
import {
  openWebSocket,
  type Asked,
  type Channel,
  type Told,
} from "./websocket";

/** A page that has so much to read stands still: what it would read later is not now. It begins anew with a snapshot. */
const MOST_UNREAD = 16 << 20;

const page = self as unknown as Pick<Worker, "postMessage" | "onmessage">;
const tell = (told: Told, hand: Transferable[] = []) => {
  page.postMessage(told, hand);
};

let channel: Channel | null = null;
let held = 0;
let unread = 0;

function open(wire: number, address: string, protocol: string): void {
  channel?.close();
  held = wire;
  unread = 0;
  const made = openWebSocket(address, protocol, {
    opened: () => {
      tell({ wire, opened: true });
    },
    bytes: (bytes) => {
      if (wire !== held || unread > MOST_UNREAD) return;
      unread += bytes.byteLength;
      tell({ wire, bytes }, [bytes]);
      if (unread > MOST_UNREAD) made.close();
    },
    closed: (closed, reason) => {
      tell({ wire, closed, reason });
    },
  });
  channel = made;
}

page.onmessage = ({ data }: MessageEvent<Asked>) => {
  if ("open" in data) open(data.wire, data.open, data.protocol);
  else if (data.wire !== held) return;
  else if ("send" in data) channel?.send(data.send);
  else unread -= data.read;
};
tell({ runs: true });
