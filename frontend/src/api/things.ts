// GET /api/v1/things/{id}/observations: what a Thing said before.
import type { Quality } from "../wire/wire";
import { call, query, type Answer } from "./call";

export interface Observation {
  property: string;
  value: number | string | boolean;
  unit: string;
  at: string;
  received_at: string;
  quality: Quality;
}

export interface History {
  items: Observation[];
  /** Give it to go on; empty at the end. */
  next_page: string;
}

/** The newest first. */
export const fetchHistory = (id: string, page = ""): Promise<Answer<History>> =>
  call(
    "GET",
    `/api/v1/things/${encodeURIComponent(id)}/observations${query({ limit: 30, page })}`,
  );
