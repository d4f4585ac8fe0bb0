// GET and DELETE /api/v1/session: who sits at this desk, and what they may do.
import { call } from "./call";

export interface Me {
  subject: string;
  name: string;
  role: string;
  agency: string;
  rights: string[];
}

/** null where nobody is signed in or nobody answers. */
export async function whoAmI(): Promise<Me | null> {
  const answer = await call<Me>("GET", "/api/v1/session");
  return answer.ok ? answer.body : null;
}

/** True once the session has ended. */
export async function signOut(): Promise<boolean> {
  return (await call("DELETE", "/api/v1/session")).ok;
}
