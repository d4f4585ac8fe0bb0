// When the shifts change. Pure.

/** Of the city's clock. A profile names no shifts. */
const SHIFTS = [7, 15, 23];
const SHOWN_MINUTES = 10;

/** Whether it is shift change: ten minutes from one on. `clock` is "07:04" or "07.04". */
export function shiftChange(clock: string): boolean {
  const [hour, minute] = clock.split(/[.:]/).map(Number);
  return (
    SHIFTS.includes(hour ?? -1) && (minute ?? SHOWN_MINUTES) < SHOWN_MINUTES
  );
}
