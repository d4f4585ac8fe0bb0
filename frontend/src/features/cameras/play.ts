// Moving pictures by hls.js, which is fetched when the first of them is opened. It runs in the page, without a worker: one stream at a time is little
// work, and the page's policy lets no worker come out of a blob. A picture that stands still is told, and is begun anew: a frozen one must not
// be taken for now.
import type Hls from "hls.js/light";

export type Playing = "starting" | "playing" | "frozen" | "failed";

/** Pictures that have not gone on for so long are of the past. */
export const FROZEN_MS = 6_000;
/** Between beginning anew and beginning anew again. */
const ANEW_MS = 15_000;
const LOOK_MS = 1_000;

/** Plays until the answer is called. `sinceMs`: for how long a frozen picture has stood still when that is told. */
export function play(
  video: HTMLVideoElement,
  playlist: string,
  tell: (how: Playing, sinceMs: number) => void,
  now: () => number = () => performance.now(),
): () => void {
  let player: Hls | null = null;
  let make: (() => void) | null = null;
  let alive = true;
  let how: Playing = "starting";
  /** When the picture last went on, and where it was then; the next time to begin anew. */
  let moved = now();
  let place = 0;
  let anew = 0;
  /** The newest piece that the playlist names, and the newest when the picture froze: what is played of those again is of the past. */
  let newest = -1;
  let past = -2;
  const say = (next: Playing) => {
    if (how !== next) tell(next, now() - moved);
    how = next;
  };
  const goesOn = () => {
    if (how === "frozen" && newest >= 0 && newest === past) return;
    moved = now();
    say("playing");
  };
  const look = setInterval(() => {
    const step = video.currentTime - place;
    place = video.currentTime;
    // Nobody looks at a page in the back, and a browser may rest it.
    if (document.visibilityState === "hidden") {
      moved = now();
      return;
    }
    // A jump is no picture that goes on.
    if (
      (how === "playing" || how === "frozen") &&
      step > 0 &&
      step < FROZEN_MS / 1000
    )
      goesOn();
    if (how === "playing" && now() - moved >= FROZEN_MS) {
      say("frozen");
      past = newest;
      anew = now();
    }
    if (how === "frozen" && now() >= anew) {
      anew = now() + ANEW_MS;
      make?.();
    }
  }, LOOK_MS);
  // A browser that reads playlists itself tells here what it cannot play; hls.js tells it as its own.
  const broken = () => {
    if (!player && how !== "frozen") say("failed");
  };
  video.addEventListener("playing", goesOn);
  video.addEventListener("error", broken);
  tell(how, 0);
  void import("hls.js/light").then(
    ({ default: Player }) => {
      if (!alive) return;
      make = () => {
        player?.destroy();
        if (!Player.isSupported()) {
          // What has no Media Source Extensions (telephones of Apple) reads playlists itself.
          video.src = playlist;
          return;
        }
        player = new Player({
          enableWorker: false,
          backBufferLength: 10,
          maxBufferLength: 20,
          maxMaxBufferLength: 30,
        });
        player.on(Player.Events.ERROR, (_, { fatal }) => {
          // A frozen picture says so, and is tried again.
          if (fatal && how !== "frozen") say("failed");
        });
        player.on(Player.Events.LEVEL_LOADED, (_, { details }) => {
          newest = details.endSN;
        });
        player.loadSource(playlist);
        player.attachMedia(video);
      };
      make();
    },
    () => {
      say("failed");
    },
  );
  return () => {
    alive = false;
    clearInterval(look);
    video.removeEventListener("playing", goesOn);
    video.removeEventListener("error", broken);
    player?.destroy();
    video.removeAttribute("src");
  };
}
