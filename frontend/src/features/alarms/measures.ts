// The measures of domain.md section 6 with their goals. Pure.
import type { Health } from "../../api/alarms";
import { fixed, number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";

export interface Measure {
  id: string;
  name: string;
  value: number;
  shown: string;
  goal: string;
  /** It is met up to this. */
  most: number;
}

export const met = ({ value, most }: Measure): boolean => value <= most;

const share = (of: number): string => `${fixed(of * 100, 1)} %`;

export const measures = (h: Health): Measure[] => [
  {
    id: "rate",
    name: m.alm_measure_rate(),
    value: h.rate10m,
    shown: number(h.rate10m, 1),
    goal: m.alm_goal_rate(),
    most: 1,
  },
  {
    id: "flood",
    name: m.alm_measure_flood(),
    value: h.floodShare,
    shown: share(h.floodShare),
    goal: m.alm_goal_flood(),
    most: 0.01,
  },
  {
    id: "standing",
    name: m.alm_measure_standing(),
    value: h.standing,
    shown: number(h.standing, 0),
    goal: m.alm_goal_standing(),
    most: 4,
  },
  {
    id: "chattering",
    name: m.alm_measure_chattering(),
    value: h.chattering,
    shown: number(h.chattering, 0),
    goal: m.alm_goal_chattering(),
    most: 0,
  },
  {
    id: "shelved",
    name: m.alm_measure_shelved(),
    value: h.shelved,
    shown: number(h.shelved, 0),
    goal: m.alm_goal_shelved(),
    most: 10,
  },
  {
    id: "top",
    name: m.alm_measure_top(),
    value: h.topShare,
    shown: share(h.topShare),
    goal: m.alm_goal_top(),
    most: 0.05,
  },
];
