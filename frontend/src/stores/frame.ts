// Bursts are merged: whatever changed since the last picture is applied once per animation frame.
// Where the tab is hidden and no frame comes, a timer takes its place.

export interface Frame {
  /** Runs `apply` once in the next frame, however often it is asked. */
  soon(apply: () => void): void;
  /** Applies at once what waits. */
  flush(): void;
}

export function createFrame(
  request: (run: () => void) => void = byScreen,
): Frame {
  const waiting = new Set<() => void>();
  let asked = false;
  const flush = () => {
    asked = false;
    const now = [...waiting];
    waiting.clear();
    for (const apply of now) apply();
  };
  return {
    soon(apply) {
      waiting.add(apply);
      if (asked) return;
      asked = true;
      request(flush);
    },
    flush,
  };
}

const HIDDEN_MS = 250;

function byScreen(run: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    run();
  };
  requestAnimationFrame(once);
  setTimeout(once, HIDDEN_MS);
}
