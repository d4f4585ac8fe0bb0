// Whom to call: /api/v1/contacts.
import { call, query } from "./call";

export interface Contact {
  id: string;
  kind: "duty_officer" | "facility" | "equipment";
  name: string;
  role: string;
  agency: string;
  /** Masked where it is a person's own and not for who reads. */
  phone: string;
  personal: boolean;
  provides: string[];
  capacity: number;
  note: string;
  /** On duty until then; null: always. */
  until: string | null;
  distance_m: number | null;
  for_area: boolean;
  for_type: boolean;
}

/** Who is on duty now for a place and type; null where nobody answers. */
export async function onDuty(need: {
  type: string;
  area: string;
  near: string;
}): Promise<Contact[] | null> {
  const answer = await call<{ items: Contact[] }>(
    "GET",
    `/api/v1/contacts/duty${query(need)}`,
  );
  return answer.ok ? answer.body.items : null;
}
