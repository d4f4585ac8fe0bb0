// Takes readings of every source from what the socket brings, and stamps them when the frame that draws them is done. It looks at a bounded
// number of Things for each message, at another place each time, so that a city of thousands costs no more than a village.
import type { Fleet } from "../../stores/fleet.svelte";
import type { GlassTimes } from "./glass";

const LOOKS = 256;
/** What comes so late is history that was filled in, not a way to the glass. */
const OLD_MS = 600_000;
/** A clock that is further ahead is wrong: its reading tells of no way, and must not make those after it look old. */
const AHEAD_MS = 2_000;

/** `now` is the server's time in ms, null before it has spoken; `painted` runs what it is given once the frame that shows what was heard is done. */
export function sampler(
  fleet: Fleet,
  times: GlassTimes,
  now: () => number | null,
  painted: (then: () => void) => void,
): () => void {
  const seen = new Map<string, number>();
  let at = 0;
  return () => {
    const fresh: { feed: string; atMs: number }[] = [];
    const { size } = fleet;
    const latest = (now() ?? 0) + AHEAD_MS;
    for (let n = Math.min(LOOKS, size); n > 0; n--) {
      at = (at + 1) % size;
      if (fleet.blocks[Math.floor(at / fleet.block)] !== fleet.stamp - 1)
        continue;
      const atMs = fleet.atMs[at] ?? 0;
      const feed = fleet.feedOf(at);
      const last = seen.get(feed) ?? 0;
      // What was seen last lies ahead where the house's clock has been set back: it is no measure any more.
      if (atMs > latest || (atMs <= last && last <= latest)) continue;
      seen.set(feed, atMs);
      fresh.push({ feed, atMs });
    }
    if (fresh.length === 0) return;
    painted(() => {
      const then = now();
      if (then === null) return;
      for (const { feed, atMs } of fresh)
        if (then - atMs < OLD_MS) times.add(feed, then, then - atMs);
    });
  };
}

/** Runs after the next frame has been handed to the screen; for a wall without a map, whose frames take longer. */
export function afterPaint(then: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(null);
  });
}
