// GET and DELETE /api/v1/session: who sits at this desk, and what they may do.
import { call } from "./call";
import { doc, text } from "./read";
import { fetchMe, type Identity } from "./session";

export type Me = Identity;

/** null where nobody is signed in or nobody answers. */
export async function whoAmI(): Promise<Me | null> {
  const answer = await fetchMe();
  return answer.ok ? answer.body : null;
}

/** True once the session has ended. */
export async function signOut(): Promise<boolean> {
  return (await call("DELETE", "/api/v1/session")).ok;
}

/** Once the session has ended: the provider's page where its own session goes on, else empty. null: it has not ended. */
export async function signOutTo(): Promise<string | null> {
  const answer = await call<unknown>("DELETE", "/api/v1/session");
  return answer.ok ? text(doc(answer.body)["to"]) : null;
}
