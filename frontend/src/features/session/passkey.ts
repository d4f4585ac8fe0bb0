// Passkeys in the browser (Web Authentication Level 3). Loaded when somebody uses one: not every browser can read the options by itself.
import type { Answer } from "../../api/call";
import type { Challenge } from "../../api/session";
import type { PasskeyFault } from "./faults";

type Json = Record<string, unknown>;

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
};

export const textOf = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const named = (list: unknown): PublicKeyCredentialDescriptor[] =>
  (Array.isArray(list) ? (list as Json[]) : []).map((c) => ({
    ...c,
    type: "public-key",
    id: bytesOf(String(c["id"])),
  }));

/** RequestOptions out of JSON: what is binary there is base64url. */
function requestOf(json: Json): PublicKeyCredentialRequestOptions {
  const { allowCredentials, challenge, ...rest } = json;
  return {
    ...rest,
    extensions: {},
    challenge: bytesOf(String(challenge)),
    ...(allowCredentials !== undefined && {
      allowCredentials: named(allowCredentials),
    }),
  };
}

function creationOf(json: Json): PublicKeyCredentialCreationOptions {
  const user = json["user"] as Json;
  return {
    ...(json as unknown as PublicKeyCredentialCreationOptions),
    challenge: bytesOf(String(json["challenge"])),
    user: {
      id: bytesOf(String(user["id"])),
      name: String(user["name"]),
      displayName: String(user["displayName"] ?? user["name"]),
    },
    excludeCredentials: named(json["excludeCredentials"]),
    extensions: { credProps: true },
  };
}

/** A credential as JSON, as PublicKeyCredential.toJSON gives it where it is there. */
function jsonOf(credential: PublicKeyCredential): Json {
  const { response } = credential;
  const common = {
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    ...(credential.authenticatorAttachment && {
      authenticatorAttachment: credential.authenticatorAttachment,
    }),
  };
  const clientDataJSON = textOf(response.clientDataJSON);
  if (response instanceof AuthenticatorAttestationResponse) {
    return {
      ...common,
      response: {
        clientDataJSON,
        attestationObject: textOf(response.attestationObject),
        transports: response.getTransports(),
      },
    };
  }
  const shown = response as AuthenticatorAssertionResponse;
  return {
    ...common,
    response: {
      clientDataJSON,
      authenticatorData: textOf(shown.authenticatorData),
      signature: textOf(shown.signature),
      ...(shown.userHandle && { userHandle: textOf(shown.userHandle) }),
    },
  };
}

/** Why the browser gave none. Aborted is null: somebody chose another way. */
export function why(fault: unknown): PasskeyFault | null {
  const name = fault instanceof DOMException ? fault.name : "";
  if (name === "AbortError") return null;
  if (name === "NotAllowedError") return "cancelled";
  if (name === "InvalidStateError") return "there";
  if (name === "SecurityError") return "address";
  if (name === "NotSupportedError") return "absent";
  return "failed";
}

export type Shown =
  | { ok: true; ticket: string; credential: Json }
  | { ok: false; why: PasskeyFault | null; answer?: never }
  | { ok: false; answer: Extract<Answer<unknown>, { ok: false }>; why?: never };

async function asked(
  begin: Promise<Answer<Challenge>>,
  ask: (options: Json) => Promise<Credential | null>,
): Promise<Shown> {
  const begun = await begin;
  if (!begun.ok) return { ok: false, answer: begun };
  try {
    const found = await ask(begun.body.publicKey);
    if (!(found instanceof PublicKeyCredential))
      return { ok: false, why: "cancelled" };
    return { ok: true, ticket: begun.body.ticket, credential: jsonOf(found) };
  } catch (fault) {
    return { ok: false, why: why(fault) };
  }
}

/** Asks for a passkey. `quiet`: it is offered in the field for the name, and waits there until one is chosen. */
export const show = (
  begin: Promise<Answer<Challenge>>,
  signal: AbortSignal,
  quiet = false,
): Promise<Shown> =>
  asked(begin, (json) =>
    navigator.credentials.get({
      publicKey: requestOf(json),
      signal,
      ...(quiet && { mediation: "conditional" }),
    }),
  );

/** Makes a passkey. */
export const make = (begin: Promise<Answer<Challenge>>): Promise<Shown> =>
  asked(begin, (json) =>
    navigator.credentials.create({ publicKey: creationOf(json) }),
  );

/** The browser offers passkeys inside the field for the name. */
export async function offers(): Promise<boolean> {
  if (!("PublicKeyCredential" in window)) return false;
  const kind = PublicKeyCredential as {
    isConditionalMediationAvailable?: () => Promise<boolean>;
  };
  return (await kind.isConditionalMediationAvailable?.()) ?? false;
}
