// /api/v1/session: a one-time code or a token becomes a session cookie.

export type SignIn = "done" | "refused" | "busy" | "unreachable";

/** Sends the credential; never throws. `refused`: the code is spent or wrong. */
export async function signIn(
  credential: { code: string } | { token: string },
): Promise<SignIn> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
  };
  let body = "{}";
  if ("code" in credential) body = JSON.stringify({ code: credential.code });
  else headers["authorization"] = `Bearer ${credential.token}`;
  try {
    const answer = await fetch("/api/v1/session", {
      method: "POST",
      headers,
      body,
    });
    if (answer.ok) return "done";
    if (answer.status === 429 || answer.status >= 500) return "busy";
    return "refused";
  } catch {
    return "unreachable";
  }
}

/** True where the server is there and says that nobody is signed in. */
export async function signedOut(): Promise<boolean> {
  try {
    const answer = await fetch("/api/v1/session");
    return answer.status === 401;
  } catch {
    return false;
  }
}

/** Where to go after signing in: a path of ours, or the wall. Never another host. */
export function nextPath(search: string, origin: string): string {
  const asked = new URLSearchParams(search).get("next") ?? "";
  if (!asked.startsWith("/")) return "/wall";
  const url = new URL(asked, origin);
  return url.origin === origin ? url.pathname + url.search + url.hash : "/wall";
}
