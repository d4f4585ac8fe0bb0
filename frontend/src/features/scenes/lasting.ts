// What lets a wall be left alone for a month: it stays awake, its pixels do not stand in one place, and it takes a new build over by itself.

const SHIFT_MS = 600_000;
/** How far the picture wanders, in CSS pixels: nobody sees it, and no edge burns in. */
const STEPS: readonly (readonly [number, number])[] = [
  [0, 0],
  [2, 0],
  [2, 2],
  [0, 2],
  [-2, 2],
  [-2, 0],
  [-2, -2],
  [0, -2],
  [2, -2],
];

/** Where the picture stands at a time, alike on all screens of one picture. */
export function shiftAt(now: number): readonly [x: number, y: number] {
  return (
    STEPS[Math.floor(Math.max(0, now) / SHIFT_MS) % STEPS.length] ?? [0, 0]
  );
}

const AWAKE_MS = 60_000;

/** Keeps the screen awake while the page is in front, again where the system has taken that back; gives what lets go. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let over = false;
  const take = async () => {
    if (document.visibilityState !== "visible" || lock?.released === false)
      return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (over) void lock.release();
    } catch {
      // Not every browser has it, and none without a secure address: the kiosk's own power settings hold then.
    }
  };
  const again = () => void take();
  document.addEventListener("visibilitychange", again);
  const held = setInterval(again, AWAKE_MS);
  void take();
  return () => {
    over = true;
    clearInterval(held);
    document.removeEventListener("visibilitychange", again);
    void lock?.release();
  };
}

const AGAIN_MS = 5_000;

/** Whether the house answers: a page that is loaded while it does not is a browser's own page of an error, which nobody loads anew. */
async function answers(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(AGAIN_MS);
    return (await fetch("/healthz", { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}

/**
 * Loads the page anew where the server's build is another than the one this page came with, at a quiet moment of its own within a minute, so
 * that the screens of a room do not go dark together, and not before the house answers. Gives what hears the server's version.
 */
export function followBuild(
  reload: () => void = () => {
    location.reload();
  },
  wait: () => number = () => 2_000 + Math.random() * 58_000,
  well: () => Promise<boolean> = answers,
): (version: string) => void {
  let first = "";
  let due = false;
  const load = async () => {
    if (await well()) reload();
    else setTimeout(() => void load(), AGAIN_MS);
  };
  return (version) => {
    if (version === "" || due) return;
    if (first === "") first = version;
    else if (version !== first) {
      due = true;
      setTimeout(() => void load(), wait());
    }
  };
}
