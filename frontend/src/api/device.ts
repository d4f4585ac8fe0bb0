// POST /api/v1/session/device: this screen asks to be let in as a wall.
import { call, type Answer } from "./call";
import { doc, text } from "./read";

export interface Asked {
  /** Shown large: an administrator types it. */
  code: string;
  /** Kept: with it the screen fetches what lets it in. */
  poll: string;
  expires_at: string;
}

const ROOT = "/api/v1/session/device";

export async function askAsWall(name: string): Promise<Answer<Asked>> {
  const answer = await call<unknown>("POST", ROOT, { kind: "wall", name });
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      code: text(d["code"]),
      poll: text(d["poll"]),
      expires_at: text(d["expires_at"]),
    },
  };
}

/** True once somebody has approved it; the cookie is set then. */
export async function polled(poll: string): Promise<Answer<boolean>> {
  const answer = await call<unknown>("POST", `${ROOT}/poll`, { poll });
  return answer.ok
    ? { ...answer, body: doc(answer.body)["waiting"] !== true }
    : answer;
}
