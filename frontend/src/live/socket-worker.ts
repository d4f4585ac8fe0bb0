// Holds the live socket on a thread of its own: what the network brings in pieces is put together here, and the page gets whole messages
// (DECISIONS.md, 92).
import {
  openWebSocket,
  type Asked,
  type Channel,
  type Told,
} from "./websocket";

const page = self as unknown as Pick<Worker, "postMessage" | "onmessage">;
const tell = (told: Told, hand: Transferable[] = []) => {
  page.postMessage(told, hand);
};

let channel: Channel | null = null;
let held = 0;

function open(wire: number, address: string, protocol: string): void {
  channel?.close();
  held = wire;
  channel = openWebSocket(address, protocol, {
    opened: () => {
      tell({ wire, opened: true });
    },
    bytes: (bytes) => {
      tell({ wire, bytes }, [bytes]);
    },
    closed: (closed, reason) => {
      tell({ wire, closed, reason });
    },
  });
}

page.onmessage = ({ data }: MessageEvent<Asked>) => {
  if ("open" in data) open(data.wire, data.open, data.protocol);
  else if (data.wire !== held) return;
  else if ("send" in data) channel?.send(data.send);
  else channel?.close();
};
