/** Says that a derived value must be made anew with each of these: what it reads (the camera) is outside of what Svelte sees. */
export function follows(...signals: unknown[]): number {
  return signals.length;
}
