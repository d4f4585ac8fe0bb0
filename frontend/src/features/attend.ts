// What every screen does from its first moment: it opens the socket into its room, reads the profile until it has it, asks for the
// whole place, leads whom the house does not know to the sign-in page, and steps with the server's seconds.
import { signOutTo } from "../api/me";
import { fetchProfile, SignedOut } from "../api/profile";
import { signedOut } from "../api/session";
import { browserLive } from "../live/browser";
import type { Live, Message } from "../live/socket";
import type { Box } from "../map/geometry";
import type { Looking } from "../map/looking";
import type { Room } from "../stores/room.svelte";
import { CLOSE_CHANGED, CLOSE_POLICY } from "../wire/wire";
import { toLogin } from "./to-login";

export { toLogin } from "./to-login";

const MARGIN_DEGREES = 0.25;
/** The zoom at which a screen shows a whole regency: before the map says better. */
const WHOLE_ZOOM = 9.7;
const RETRY_MS = 5_000;
/** The other reason for CLOSE_POLICY. */
const FAULTY = /faulty/;

export interface Hooks {
  /** What to look at first; null: the whole place. */
  first?: () => Box | null;
  failed: (failed: boolean) => void;
  /** What the room does not keep. */
  heard?: (message: Message) => void;
  /** Once a second. */
  step: () => void;
  /** Rights have changed, or somebody else sits here; the socket is on its way back. */
  changed?: () => void;
}

/** Ends the session, and goes where somebody else may begin one. */
export async function leave(): Promise<void> {
  const to = await signOutTo();
  if (to === null) return;
  if (to === "") toLogin();
  else location.assign(to);
}

export function attend(
  room: Room,
  looking: Looking,
  hooks: Hooks,
): { live: Live; stop: () => void } {
  const live = browserLive({
    things: room.fleet,
    cells: room.hexes,
    onMessage: (message) => {
      room.receive(message);
      hooks.heard?.(message);
    },
    onChange: (status) => {
      room.status = status;
    },
    onRefused: (attempt) => {
      if (attempt % 3 === 0) void check();
    },
    onClosed: (code, reason) => {
      // A session that is over is left at once: nothing is asked first. Nobody is sent away for words of ours that the server could not read.
      if (code === CLOSE_POLICY) {
        if (FAULTY.test(reason)) void check();
        else toLogin();
      }
      if (code === CLOSE_CHANGED) hooks.changed?.();
    },
  });
  const check = async () => {
    if (await signedOut()) toLogin();
  };
  const loadProfile = async (): Promise<void> => {
    try {
      const profile = await fetchProfile();
      room.profile = profile;
      hooks.failed(false);
      const [w, s, e, n] = hooks.first?.() ?? profile.bbox;
      const d = MARGIN_DEGREES;
      looking.ask({ bbox: [w - d, s - d, e + d, n + d], zoom: WHOLE_ZOOM });
    } catch (fault) {
      if (fault instanceof SignedOut) {
        toLogin();
        return;
      }
      hooks.failed(true);
      setTimeout(() => void loadProfile(), RETRY_MS);
    }
  };
  live.start();
  void loadProfile();
  let timer: ReturnType<typeof setTimeout>;
  const step = () => {
    room.tick();
    hooks.step();
    // The next step falls on the server's next full second, so the digits turn with it.
    const into = (room.clock.now() ?? Date.now()) % 1_000;
    timer = setTimeout(step, 1_005 - into);
  };
  step();
  return {
    live,
    stop: () => {
      clearTimeout(timer);
      live.stop();
      looking.stop();
    },
  };
}
