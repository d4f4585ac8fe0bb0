// What this wall is set to, and the scenes of the house: read at the start and whenever the live socket has begun to tell of it, told by the
// socket from then on, and taken over at the instant that is the same on every wall.
import {
  fetchMyWall,
  fetchScenes,
  wallOf,
  type Scene,
  type Wall,
} from "../../api/walls";
import { instant } from "../../i18n/instant";

const RETRY_MS = 15_000;
/** An order's instant is less than a second ahead. One far ahead was given by a clock that has been set back since, and is over. */
const AHEAD_MS = 10_000;

export class WallSetting {
  scenes = $state.raw<readonly Scene[]>([]);
  wall = $state.raw<Wall | null>(null);

  /** The house has said what this wall shows. */
  told = $derived(this.scenes.length > 0 && this.wall !== null);

  #screen: string;
  #now: () => number | null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #due: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  /** The newest that is known, though it may be yet to come. */
  #newest: Wall | null = null;
  #heard = 0;
  /** The socket has opened, and does not tell of this wall yet. */
  #greeted = false;
  #over = false;

  /** `now` is the server's time, ms; null before it has spoken. */
  constructor(screen: string, now: () => number | null) {
    this.#screen = screen;
    this.#now = now;
  }

  /** Asks the house, until it has answered. */
  async learn(): Promise<void> {
    clearTimeout(this.#retry);
    const asked = ++this.#asked;
    const heard = this.#heard;
    const [scenes, wall] = await Promise.all([
      fetchScenes(),
      fetchMyWall(this.#screen),
    ]);
    if (this.#over || asked !== this.#asked) return;
    if (scenes.ok) this.scenes = scenes.body;
    if (wall.ok) this.#answered(wall.body, heard);
    if (!scenes.ok || !wall.ok)
      this.#retry = setTimeout(() => void this.learn(), RETRY_MS);
  }

  /**
   * A message of the live socket. What was said while it was away, and before it began to tell of this wall, is not repeated: with the
   * first picture after each opening the house is asked anew.
   */
  hear(message: { type: string }): void {
    if (message.type === "hello") {
      this.#greeted = true;
      if (this.wall === null) void this.learn();
    } else if (message.type === "snapshot" && this.#greeted) {
      this.#greeted = false;
      void this.learn();
    } else if (message.type === "wall" && "wall" in message) {
      this.#heard++;
      const wall = wallOf(message.wall);
      if (!this.#older(wall)) this.#take(wall);
    }
  }

  /** An answer is the truth, though its version be an older one: a store may have been put back. But what was told meanwhile is newer. */
  #answered(wall: Wall, heard: number): void {
    if (heard === this.#heard || !this.#older(wall)) this.#take(wall);
  }

  #older({ id, version }: Wall): boolean {
    return this.#newest?.id === id && version < this.#newest.version;
  }

  /** What is yet to come waits for its instant. */
  #take(wall: Wall): void {
    this.#newest = wall;
    clearTimeout(this.#due);
    const at = instant(wall.applyAt);
    const now = this.#now();
    const wait = at === null || now === null ? 0 : at - now;
    if (wait <= 0 || wait > AHEAD_MS) this.wall = wall;
    else
      this.#due = setTimeout(() => {
        this.wall = wall;
      }, wait);
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#due);
  }
}
