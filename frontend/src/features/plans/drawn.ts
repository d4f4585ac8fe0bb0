// Plans as the map's layer draws them.
import type { PlanMark } from "../../map/layers/plans";
import type { Plan } from "../../wire/wire";
import { standing, stateAt } from "./plan";

export const plansDrawn = (all: readonly Plan[], now: number): PlanMark[] =>
  standing(all, now).flatMap((p) =>
    p.area.geometry
      ? [
          {
            geometry: p.area.geometry,
            closure: p.kind === "closure",
            running: stateAt(p, now) === "running",
            label: p.title,
          },
        ]
      : [],
  );
