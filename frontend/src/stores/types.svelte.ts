// The table of incident types, for whoever names something by its type.
import type { IncidentType } from "../api/incidents";

class Types {
  all = $state.raw<readonly IncidentType[]>([]);
}

export const types = new Types();
