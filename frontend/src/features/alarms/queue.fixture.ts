// An alarm for tests; a member that matters is given.
import type { Alarm } from "../../wire/wire";

export const NOON = Date.UTC(2026, 10, 22, 7, 0, 0);
export const at = (s: number) => new Date(NOON + s * 1000).toISOString();

export function alarm(id: string, more: Partial<Alarm> = {}): Alarm {
  return {
    id,
    version: 1,
    state: "raised",
    priority: "P2",
    source: `rule:x/${id}`,
    event: `Event ${id}`,
    severity: "Severe",
    location: null,
    cell: "",
    area_name: "Kubung",
    raised_at: at(0),
    updated_at: at(0),
    act_by: null,
    presented: true,
    seen: null,
    presented_at: at(0),
    announced_at: null,
    active: true,
    last_at: at(0),
    members: 1,
    count: 1,
    sound: true,
    ack: null,
    cleared_at: null,
    shelf: null,
    suppression: null,
    simulated: false,
    ...more,
  };
}
