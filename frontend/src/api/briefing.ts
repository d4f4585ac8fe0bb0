// GET /api/v1/briefing, and the incidents behind each of its figures.
import type { AreaStatus, Incident, Severity } from "../wire/wire";
import { call, query, type Answer } from "./call";

/** What every figure carries: when it was so, and the query of /incidents that lists what it rests on. */
export interface Stand {
  as_of: string;
  records: string;
}

export interface Count extends Stand {
  n: number;
  /** Of the same hours on the same weekday, one to four weeks before; null: the record does not reach back so far. */
  mean: number | null;
}

export interface Slot extends Count {
  from: string;
  to: string;
}

/** Seconds; null where fewer than five are known. */
export interface Times extends Stand {
  n: number;
  mean_s: number | null;
  p50_s: number | null;
  p90_s: number | null;
  /** 0 to 1, of the stamps that a person entered. */
  manual_share: number | null;
  hidden: boolean;
}

export interface Share {
  n: number;
  met: number;
  /** 0 to 1; null where fewer than five are known. */
  share: number | null;
  hidden: boolean;
}

export interface Group extends Times {
  by: "agency" | "area" | "type" | "hours" | "class";
  agency?: string;
  area?: string;
  type?: string;
  class?: string;
  hours?: { from: number; to: number };
  /** Incidents of the group, reached or not. */
  all: number;
  sla: Share;
  sla_records: string;
}

export interface Place extends Stand {
  cell: string;
  area: string;
  type?: string;
  n: number;
  year_mean?: number;
}

export interface OpenCase {
  id: string;
  number: string;
  title: string;
  type: string;
  severity: Severity;
  lead_agency: string;
  area_name: string;
  t_signal: string;
  late: boolean;
}

export interface Source {
  name: string;
  agency: string;
  state: "ok" | "late" | "failing";
  last_success: string | null;
}

export interface Warning {
  kind: "alert" | "statement";
  title: string;
  source: string;
  scale?: string;
  step?: string;
  area_name?: string;
  at: string;
  until: string | null;
}

export interface Decision {
  code: string;
  who: string[];
  id?: string;
  en?: string;
  as_of: string;
  records?: string;
}

export interface Briefing {
  as_of: string;
  period: { from: string; to: string };
  zone: string;
  record_began: string | null;
  status: AreaStatus[];
  counts: {
    incidents: Count;
    grave: Count;
    open: Count;
    grave_open: Count;
    series: Slot[];
  };
  times: Record<string, Times>;
  response: Group[];
  sla: Record<string, Share & Stand>;
  backlog: Times;
  rates: Record<string, Share & Stand>;
  places: Place[];
  recurrent: Place[];
  recurrent_known: boolean;
  open: OpenCase[];
  data_health: { as_of: string; fresh: number; n: number; feeds: Source[] };
  outlook: Warning[];
  decisions: Decision[];
  unmeasured: string[];
  hash: string;
}

/** RFC 3339 instants; empty: the house's own choice, the day up to the last 07.00. */
export interface Asked {
  from: string;
  to: string;
  as_of: string;
}

/** A year of incidents is counted in about a second; a busy house may take longer. */
const PATIENCE_MS = 20_000;

export const fetchBriefing = (asked: Asked): Promise<Answer<Briefing>> =>
  call("GET", `/api/v1/briefing${query({ ...asked })}`, undefined, PATIENCE_MS);

const AT_ONCE = 100;

/** One page of the incidents behind a figure. */
export const fetchRecords = (
  records: string,
  page: string,
): Promise<Answer<{ items: Incident[]; next_page: string }>> => {
  const more = page === "" ? "" : `&page=${encodeURIComponent(page)}`;
  return call(
    "GET",
    `/api/v1/incidents?limit=${AT_ONCE}&${records}${more}`,
    undefined,
    PATIENCE_MS,
  );
};
