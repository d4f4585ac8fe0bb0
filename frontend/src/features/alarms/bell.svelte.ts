// The desk's voice: two tones made here, no file. Whether the browser lets it speak is known only once it was tried.
import type { Alarm } from "../../wire/wire";
import { MUTE_MS, muteUntil, SoundPlan, type Tone } from "./sound";

const KEY = "kentongan.sound";
const AGAIN_MS = 5_000;
const GESTURES = ["pointerdown", "keydown"] as const;

/** Hertz and seconds: high and low in turn for P1, one soft tone for P2. */
const TONES: Record<Tone, readonly [hz: number, from: number, s: number][]> = {
  p1: [
    [880, 0, 0.28],
    [587, 0.3, 0.28],
    [880, 0.6, 0.28],
    [587, 0.9, 0.34],
  ],
  p2: [[523, 0, 0.35]],
};

interface Kept {
  volume?: number;
  mutedUntil?: number;
}

function kept(): Kept {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Kept;
  } catch {
    return {};
  }
}

export class Bell {
  /** The browser keeps it silent until somebody has pressed something. */
  blocked = $state(false);
  /** Milliseconds since 1970 by this machine; 0: it is not muted. */
  mutedUntil = $state(0);
  /** 0 to 1. */
  volume = $state(0.7);

  #plan = new SoundPlan();
  #audio: AudioContext | null = null;
  #log: (minutes: number) => Promise<boolean>;
  /** Minutes of silence that the house has not noted yet; null: it knows. */
  #untold: number | null = null;
  #nextMs = 0;

  /** `log` tells the house that this desk is silent, for how many minutes, or sounds again: 0. False: it did not hear, and is told again. */
  constructor(log: (minutes: number) => Promise<boolean>) {
    this.#log = log;
  }

  /** Makes it ready; gives what puts it away. */
  start(): () => void {
    const { volume = 0.7, mutedUntil = 0 } = kept();
    this.volume = volume;
    this.mutedUntil = muteUntil(Date.now(), mutedUntil - Date.now());
    if (mutedUntil <= Date.now()) this.mutedUntil = 0;
    if (!("AudioContext" in globalThis)) {
      this.blocked = true;
      return () => undefined;
    }
    const audio = new AudioContext();
    this.#audio = audio;
    const look = () => {
      this.blocked = audio.state !== "running";
    };
    const wake = () => {
      if (audio.state === "suspended") void audio.resume().then(look, look);
    };
    audio.addEventListener("statechange", look);
    look();
    for (const g of GESTURES) addEventListener(g, wake, true);
    return () => {
      for (const g of GESTURES) removeEventListener(g, wake, true);
      audio.removeEventListener("statechange", look);
      void audio.close();
    };
  }

  /** Says what is due; once a second. */
  step(alarms: readonly Alarm[], desk: string): void {
    if (this.mutedUntil !== 0 && Date.now() >= this.mutedUntil) this.#set(0);
    if (performance.now() >= this.#nextMs) void this.#tell();
    const tone = this.#plan.due(alarms, desk, performance.now());
    if (tone && this.mutedUntil === 0) this.play(tone);
  }

  play(tone: Tone): void {
    const audio = this.#audio;
    if (audio?.state !== "running") return;
    for (const [hz, from, s] of TONES[tone]) {
      const at = audio.currentTime + from;
      const voice = audio.createOscillator();
      const gain = audio.createGain();
      voice.frequency.value = hz;
      voice.type = "triangle";
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(this.volume, at + 0.02);
      gain.gain.setValueAtTime(this.volume, at + s - 0.04);
      gain.gain.linearRampToValueAtTime(0, at + s);
      voice.connect(gain).connect(audio.destination);
      voice.start(at);
      voice.stop(at + s);
    }
  }

  /** For so long, ten minutes at most; 0 ends it. */
  mute(forMs: number): void {
    this.#set(forMs);
    this.#untold = Math.ceil(
      Math.max(0, this.mutedUntil - Date.now()) / 60_000,
    );
    void this.#tell();
  }

  #set(forMs: number): void {
    this.mutedUntil = forMs > 0 ? muteUntil(Date.now(), forMs) : 0;
    this.#keep();
  }

  async #tell(): Promise<void> {
    const minutes = this.#untold;
    if (minutes === null) return;
    this.#nextMs = performance.now() + AGAIN_MS;
    if ((await this.#log(minutes)) && this.#untold === minutes) {
      this.#untold = null;
    }
  }

  toggle(): void {
    this.mute(this.mutedUntil > 0 ? 0 : MUTE_MS);
  }

  loud(volume: number): void {
    this.volume = Math.min(1, Math.max(0.1, volume));
    this.#keep();
  }

  #keep(): void {
    const { volume, mutedUntil } = this;
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ volume, mutedUntil }));
    } catch {
      // Storage is closed to us: it holds as long as the page.
    }
  }
}
