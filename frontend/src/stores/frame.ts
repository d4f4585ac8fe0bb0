// Bursts are merged: whatever changed since the last picture is applied once per animation frame.
// Where the tab is hidden and no frame comes, a timer takes its place.

export interface Frame {
  /** Runs `apply` once in the next frame, however often it is asked. */
  soon(apply: () => void): void;
  /** The same with the next frame that something else is due in: what nobody waits for asks for none of its own. */
  along(apply: () => void): void;
  /** Applies at once what waits to come along. */
  flush(): void;
}

export function createFrame(
  request: (run: () => void) => void = byScreen,
): Frame {
  const waiting = new Set<() => void>();
  const beside = new Set<() => void>();
  let asked = false;
  const flush = (set: Set<() => void>) => {
    const now = [...set];
    set.clear();
    for (const apply of now) apply();
  };
  return {
    soon(apply) {
      waiting.add(apply);
      if (asked) return;
      asked = true;
      request(() => {
        asked = false;
        flush(waiting);
        flush(beside);
      });
    },
    along(apply) {
      beside.add(apply);
    },
    flush() {
      flush(beside);
    },
  };
}

const HIDDEN_MS = 250;

function byScreen(run: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    run();
  };
  const timer = setTimeout(once, HIDDEN_MS);
  requestAnimationFrame(once);
}
