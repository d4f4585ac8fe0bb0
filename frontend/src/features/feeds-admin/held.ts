// What is held, as people decide on it: how long it is kept, how full its place is, and accepting all of it.
import type { Answer } from "../../api/call";
import type { Held, Room } from "../../api/feeds";

const DAY = 86_400_000;

/** Whole days until what is held is forgotten; null: nothing that would be missed is. */
export function daysLeft(held: Held, now: number): number | null {
  const at = held.expiresAt === null ? NaN : Date.parse(held.expiresAt);
  if (held.state !== "held" || held.passed || held.deliveries === 0) {
    return null;
  }
  return Number.isNaN(at) ? null : Math.max(0, Math.floor((at - now) / DAY));
}

/** From here on what is held is marked. */
export const SOON_DAYS = 3;

/** How full the quarantine is, 0 to 1, by the bound that is nearest. */
export function fullness(room: Room): number {
  const of = (n: number, most: number) => (most > 0 ? n / most : 0);
  return Math.max(
    of(room.causes, room.mostCauses),
    of(room.deliveries, room.mostDeliveries),
    of(room.size, room.mostSize),
  );
}

/** Accepts until all of a cause is stored; told hears how far it is. Ends where an answer brings it no further. */
export async function acceptAll(
  held: Held,
  ask: (held: Held) => Promise<Answer<Held>>,
  told: (held: Held) => void,
): Promise<Answer<Held>> {
  for (let taken = held.taken; ;) {
    const answer = await ask(held);
    if (
      !answer.ok ||
      answer.body.state === "accepted" ||
      answer.body.taken <= taken
    ) {
      return answer;
    }
    taken = answer.body.taken;
    told(answer.body);
  }
}
