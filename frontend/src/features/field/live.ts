// A thin ear on the live socket: which nouns have changed. The phone reads them again by HTTP, so that nothing of the wall's rows comes along.
import { docs, doc, text } from "../../api/read";

const FIRST_MS = 1_000;
const MOST_MS = 30_000;
/** A socket that says nothing for so long is dead: the house speaks every second. */
const SILENT_MS = 20_000;

export interface Ear {
  close: () => void;
}

export interface Heard {
  /** A dispatch, unit or incident has changed: its kind and id. */
  onChange: (noun: string, id: string) => void;
  onLine: (open: boolean) => void;
}

/** Case messages in a frame of text: one object, or one a line. */
export function changesIn(frame: string): { noun: string; id: string }[] {
  const said = frame
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): unknown => {
      try {
        return JSON.parse(line);
      } catch {
        return null;
      }
    });
  return docs(said).flatMap((message) => {
    const noun = text(message["type"]);
    if (noun !== "dispatch" && noun !== "unit" && noun !== "incident")
      return [];
    return [{ noun, id: text(doc(message[noun])["id"]) }];
  });
}

/** Listens until it is closed; comes back by itself. */
export function listen(page: URL, { onChange, onLine }: Heard): Ear {
  let closed = false;
  let tries = 0;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const address = new URL("/api/v1/live?format=json", page);
  address.protocol = page.protocol === "https:" ? "wss:" : "ws:";

  function hush(): void {
    clearTimeout(silence);
    silence = setTimeout(() => socket?.close(), SILENT_MS);
  }

  function open(): void {
    const wire = new WebSocket(address, "kentongan.v1");
    socket = wire;
    wire.onopen = () => {
      wire.send(
        JSON.stringify({
          op: "view",
          bbox: [0, 0, 0.001, 0.001],
          zoom: 12,
          layers: [],
        }),
      );
      hush();
    };
    wire.onmessage = ({ data }) => {
      if (tries !== 0) tries = 0;
      hush();
      onLine(true);
      if (typeof data !== "string") return;
      for (const { noun, id } of changesIn(data)) onChange(noun, id);
    };
    wire.onclose = () => {
      clearTimeout(silence);
      if (closed) return;
      onLine(false);
      const pause = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(tries, 10));
      tries++;
      timer = setTimeout(open, pause * (0.8 + 0.4 * Math.random()));
    };
  }

  open();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      clearTimeout(silence);
      socket?.close();
    },
  };
}
