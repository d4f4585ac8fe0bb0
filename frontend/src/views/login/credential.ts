// People paste what they have: the whole link, the code in it, or a token.

export type Credential = { code: string } | { token: string };

const MIN_TOKEN = 32; // admin tokens are at least this long (INTERFACES, section 1)

/** Reads what was pasted; null where it is empty. A link gives its code; feed keys and anything long without a link count as tokens. */
export function readCredential(pasted: string): Credential | null {
  const text = pasted.trim();
  if (text === "") return null;
  const code = /[?&]code=([^&\s#]+)/.exec(text)?.[1];
  if (code) return { code: decodeURIComponent(code) };
  return { token: text };
}

/** A bare code and a token look alike: a short one is tried as a code first, a refused one as the other. */
export function alternatives(credential: Credential): Credential[] {
  if ("code" in credential) return [credential];
  const { token } = credential;
  const asCode = { code: token };
  return token.length < MIN_TOKEN ? [asCode] : [credential, asCode];
}

/** What a witness reads out is four letters and digits again and again; null where it is anything else. */
export function witnessed(pasted: string): string | null {
  const text = pasted.trim();
  return /^[a-z0-9]{4}([ -][a-z0-9]{4}){2,}$/i.test(text) ? text : null;
}
