// GET /readyz: how safe what we write is.
import { call } from "./call";
import { doc, text } from "./read";

/** "durable", "weak" or "volatile"; empty where nobody says. */
export async function fetchStorage(): Promise<string> {
  const answer = await call<unknown>("GET", "/readyz");
  return text(doc(answer.ok ? answer.body : answer.problem)["storage"]);
}
