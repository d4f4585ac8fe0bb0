// The state machine's surroundings in a real browser.
import type { CellSink, ThingSink } from "../wire/sinks";
import { SUBPROTOCOL } from "../wire/wire";
import { Rows } from "./rows";
import { Live, type Surroundings } from "./socket";
import { openWire } from "./wires";

/** The live address beside the page: ws for http, wss for https. */
export function liveAddress(page: URL): string {
  const address = new URL("/api/v1/live", page);
  address.protocol = page.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

export interface Handlers extends Pick<
  Surroundings,
  "onMessage" | "onChange" | "onRefused" | "onClosed"
> {
  /** Where rows go; onMessage does not hear of them. */
  things: ThingSink;
  cells: CellSink;
}

export function browserLive(handlers: Handlers): Live {
  const { things, cells, ...heard } = handlers;
  const rows = new Rows(things, cells);
  return new Live({
    ...heard,
    read: (bytes) => rows.read(bytes),
    open: () => openWire(liveAddress(new URL(location.href)), SUBPROTOCOL),
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
