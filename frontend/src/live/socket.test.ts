import { beforeEach, describe, expect, it } from "vitest";
import {
  Live,
  LOST_BUSY_MS,
  LOST_CLOSED_MS,
  LOST_MS,
  PING_MS,
  STALE_MS,
  type Message,
  type Status,
  type Wire,
} from "./socket";

class FakeWire implements Wire {
  sent: { op: string; cursor?: string }[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: ((code: number, reason?: string) => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as { op: string; cursor?: string });
  }
  close(): void {
    this.closed = true;
  }
  say(message: Message): void {
    this.onmessage?.(new TextEncoder().encode(JSON.stringify(message)));
  }
  greet(): void {
    this.onopen?.();
    this.say({ type: "hello" });
  }
}

const VIEW = {
  bbox: [100, -2, 102, 0] as [number, number, number, number],
  zoom: 11,
  layers: ["*"],
};

let now = 0;
let tick: () => void = () => undefined;
let wires: FakeWire[] = [];
let got: Message[] = [];
let changes: Status[] = [];
let refused: number[] = [];
let closes: number[] = [];
let reasons: string[] = [];
let live: Live;

const last = (): FakeWire => {
  const wire = wires.at(-1);
  if (!wire) throw new Error("no socket was opened");
  return wire;
};

function pass(ms: number, heartbeat = false): void {
  const end = now + ms;
  while (now < end) {
    now += 250;
    if (heartbeat && now % 1000 === 0) last().say({ type: "things" });
    tick();
  }
}

beforeEach(() => {
  now = 1000;
  wires = [];
  got = [];
  changes = [];
  refused = [];
  closes = [];
  reasons = [];
  live = new Live({
    open: () => {
      const wire = new FakeWire();
      wires.push(wire);
      return wire;
    },
    now: () => now,
    random: () => 0.5,
    every: (_ms, run) => {
      tick = run;
      return () => {
        tick = () => undefined;
      };
    },
    read: (bytes) => {
      const message = JSON.parse(new TextDecoder().decode(bytes)) as Message;
      return message.type === "things" ? null : message;
    },
    onMessage: (message) => got.push(message),
    onChange: (status) => changes.push(status),
    onRefused: (attempt) => refused.push(attempt),
    onClosed: (code, reason) => {
      closes.push(code);
      reasons.push(reason);
    },
  });
  live.look(VIEW);
  live.start();
});

function becomeLive(): void {
  last().greet();
  last().say({ type: "snapshot", cursor: "e:10" });
}

describe("the live socket", () => {
  it("asks for its view after hello and is live with the snapshot, not before", () => {
    expect(live.status.phase).toBe("connecting");
    last().greet();
    expect(live.status.phase).toBe("connecting");
    expect(last().sent).toEqual([{ op: "view", ...VIEW }]);
    last().say({ type: "snapshot", cursor: "e:10" });
    expect(live.status.phase).toBe("live");
  });

  it("asks for another view, and for the same one only once", () => {
    becomeLive();
    live.look({ ...VIEW });
    expect(last().sent).toHaveLength(1);
    live.look({ ...VIEW, zoom: 12 });
    live.look({ ...VIEW, zoom: 12 });
    expect(last().sent.slice(1)).toEqual([{ op: "view", ...VIEW, zoom: 12 }]);
  });

  it("stays live on heartbeats alone, and pings", () => {
    becomeLive();
    pass(60_000, true);
    expect(live.status.phase).toBe("live");
    const pings = last().sent.filter((m) => m.op === "ping");
    expect(pings.length).toBe(60_000 / PING_MS);
  });

  it("takes slow frames for no silence: what came meanwhile waits to be heard", () => {
    becomeLive();
    for (let i = 0; i < 5; i++) {
      // The page is busy for longer than a silence may last, several times over, before it has a turn to hear.
      for (let frame = 0; frame < 3; frame++) {
        now += LOST_MS + 1_000;
        tick();
        expect(live.status.phase).toBe("live");
      }
      last().say({ type: "things" });
      pass(1_000);
      expect(live.status.phase).toBe("live");
    }
    expect(wires.length).toBe(1);
  });

  it("notices a silence between slow frames, by the time it could have heard or by the clock", () => {
    becomeLive();
    now += 2_000;
    tick();
    pass(STALE_MS);
    expect(live.status.phase).toBe("stale");
    pass(LOST_MS - STALE_MS);
    expect(live.status.phase).toBe("offline");
    pass(2_000);
    becomeLive();
    now += LOST_BUSY_MS;
    tick();
    expect(live.status.phase).toBe("live");
    pass(500);
    expect(live.status.phase).toBe("offline");
  });

  it("turns stale, then lost within 10 s of silence on an open socket", () => {
    becomeLive();
    const heard = now;
    pass(STALE_MS);
    expect(live.status.phase).toBe("stale");
    while (live.status.phase !== "offline") {
      pass(250);
      expect(now - heard).toBeLessThanOrEqual(10_000);
    }
    expect(now - heard).toBeGreaterThanOrEqual(LOST_CLOSED_MS);
    expect(live.status.heardAt).toBe(heard);
  });

  it("gives up a silent socket and opens another", () => {
    becomeLive();
    pass(LOST_MS + 1_000);
    expect(wires[0]?.closed).toBe(true);
    expect(wires.length).toBe(2);
  });

  it("is stale at once when the socket closes, lost when it does not come back", () => {
    becomeLive();
    last().onclose?.(1006);
    expect(live.status.phase).toBe("stale");
    pass(LOST_CLOSED_MS + 250);
    expect(live.status.phase).toBe("offline");
  });

  it("resumes with the last cursor and stays lost until a snapshot has come", () => {
    becomeLive();
    last().say({ type: "incident", cursor: "e:12", incident: {} });
    last().onclose?.(1001);
    pass(LOST_CLOSED_MS + 1_000);
    expect(live.status.phase).toBe("offline");
    last().greet();
    expect(live.status.phase).toBe("offline");
    expect(last().sent[0]?.cursor).toBe("e:12");
    last().say({ type: "incident", cursor: "e:13", incident: {} });
    expect(live.status.phase).toBe("offline");
    last().say({ type: "snapshot", cursor: "e:13", resumed: true });
    expect(live.status.phase).toBe("live");
    expect(live.status.attempt).toBe(0);
  });

  it("comes back at once, with its cursor, when rights have changed", () => {
    last().greet();
    last().say({ type: "snapshot", cursor: "e:7" });
    pass(60_000, true);
    last().onclose?.(4001);
    expect(closes).toEqual([4001]);
    pass(500);
    expect(wires.length).toBe(2);
    last().greet();
    expect(last().sent.at(-1)).toMatchObject({ op: "view", cursor: "e:7" });
  });

  it("tells a socket that was closed from one that was refused", () => {
    last().greet();
    last().onclose?.(1008, "signed out");
    expect(closes).toEqual([1008]);
    expect(reasons).toEqual(["signed out"]);
    expect(refused).toEqual([]);
  });

  it("backs off longer each time, never beyond 10 s", () => {
    becomeLive();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      last().onclose?.(1006);
      waits.push((live.status.retryAt ?? now) - now);
      pass((live.status.retryAt ?? now) - now + 250);
    }
    expect(waits[1]).toBeGreaterThan(waits[0] ?? Infinity);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
    expect(refused.length).toBe(7);
  });

  it("hands messages but rows on in order and skips what is no message", () => {
    last().greet();
    last().onmessage?.(Uint8Array.of(123, 98));
    last().say({ type: "snapshot", cursor: "e:1" });
    last().say({ type: "things" });
    last().say({ type: "alert", cursor: "e:2" });
    expect(got.map((m) => m.type)).toEqual(["hello", "snapshot", "alert"]);
  });

  it("hears nothing more from a socket that was replaced", () => {
    becomeLive();
    const old = last();
    old.onclose?.(1006);
    pass(2_000);
    const before = got.length;
    old.say({ type: "stats" });
    expect(got.length).toBe(before);
  });

  it("counts a server that never answers as lost", () => {
    pass(LOST_MS + 250);
    expect(live.status.phase).toBe("offline");
    expect(live.status.heardAt).toBeNull();
  });

  it("ends for good", () => {
    becomeLive();
    live.stop();
    const count = changes.length;
    pass(30_000);
    expect(changes.length).toBe(count);
    expect(wires.length).toBe(1);
  });
});
