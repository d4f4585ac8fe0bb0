// Whether one record stands in the log, worked out here and not believed: C2SP tlog-proof, tlog-checkpoint and signed-note, RFC 6962
// section 2.1.1. Nothing is asked of any server.

export interface Checkpoint {
  /** The log's name, and that of its key. */
  origin: string;
  /** Records, 0 and up. */
  size: number;
  /** 32 bytes. */
  root: Bytes;
  /** Base64 of the root. */
  rootText: string;
}

/** Bytes of their own. */
export type Bytes = Uint8Array<ArrayBuffer>;

export interface Signature {
  name: string;
  /** Type's and key's hash, eight hex digits. */
  keyHash: string;
  /** Behind the hash: 64 bytes of Ed25519, with eight of a time before them where a witness gave it. */
  bytes: Bytes;
}

export interface SignedCheckpoint extends Checkpoint {
  /** What is signed. */
  body: string;
  signatures: Signature[];
}

export interface Proof {
  /** 0 and up: one less than the record's number. */
  index: number;
  hashes: Bytes[];
  checkpoint: string;
}

export interface LogKey {
  name: string;
  keyHash: string;
  /** 32 bytes of Ed25519. */
  key: Bytes;
}

const HEAD = "c2sp.org/tlog-proof@v1";
const HASH = 32;
const MOST_HASHES = 63;
const ED25519 = 1;
const KEY_HASH = 4;
const SIGNATURE = 64;
const DASH = "— ";

/** Why a text is no proof, checkpoint or key; its message is for the curious, in English. */
export class Malformed extends Error {}

/** The one base64 form of some bytes. */
export function unbase64(text: string): Bytes {
  let raw: string;
  try {
    raw = atob(text);
  } catch {
    throw new Malformed(`${text.slice(0, 60)} is not base64`);
  }
  if (btoa(raw) !== text)
    throw new Malformed(`${text.slice(0, 60)} is not in its one base64 form`);
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

function hash(text: string): Bytes {
  const bytes = unbase64(text);
  if (bytes.length !== HASH)
    throw new Malformed(`a hash has 32 bytes, not ${String(bytes.length)}`);
  return bytes;
}

/** A decimal number without leading zeros, as exact as a browser counts. */
function decimal(text: string): number {
  const value = Number(text);
  if (!/^(0|[1-9]\d*)$/.test(text) || !Number.isSafeInteger(value))
    throw new Malformed(`${text.slice(0, 60)} is no decimal number`);
  return value;
}

export function parseProof(text: string): Proof {
  const cut = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(cut, 0)).split("\n");
  if (cut < 0 || lines.shift() !== HEAD)
    throw new Malformed(`a proof begins with the line ${HEAD}`);
  if (lines[0]?.startsWith("extra ")) unbase64(lines.shift()?.slice(6) ?? "");
  const index = lines.shift() ?? "";
  if (!index.startsWith("index "))
    throw new Malformed("a proof has a line index");
  if (lines.length > MOST_HASHES)
    throw new Malformed("no tree needs more than 63 hashes");
  return {
    index: decimal(index.slice(6)),
    hashes: lines.map(hash),
    checkpoint: text.slice(cut + 2),
  };
}

const hex = (bytes: Bytes): string =>
  Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

function signature(line: string): Signature {
  const [name, coded, more] = line.slice(DASH.length).split(" ");
  if (!line.startsWith(DASH) || !name || !coded || more !== undefined)
    throw new Malformed("a signature line has a dash, a name and base64");
  const raw = unbase64(coded);
  if (raw.length <= KEY_HASH)
    throw new Malformed(`the signature of ${name} is too short`);
  return {
    name,
    keyHash: hex(raw.slice(0, KEY_HASH)),
    bytes: raw.slice(KEY_HASH),
  };
}

export function parseCheckpoint(text: string): SignedCheckpoint {
  const cut = text.lastIndexOf("\n\n");
  if (cut < 0 || !text.endsWith("\n"))
    throw new Malformed("a signed checkpoint has an empty line in it");
  const body = text.slice(0, cut + 1);
  const [origin, size, root, ...more] = body.slice(0, -1).split("\n");
  if (!origin || /[\s+]/.test(origin) || !size || !root || more.includes(""))
    throw new Malformed("a checkpoint has three lines: origin, size, root");
  const signatures = text
    .slice(cut + 2, -1)
    .split("\n")
    .map(signature);
  return {
    origin,
    size: decimal(size),
    root: hash(root),
    rootText: root,
    body,
    signatures,
  };
}

const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

function joined(...parts: Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

const encode = (text: string): Bytes => new TextEncoder().encode(text);

/** Reads name+hash+base64(type and key), and holds the hash against the key. */
export async function parseKey(text: string): Promise<LogKey> {
  const [, name, keyHash, coded] =
    /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  if (!name || !keyHash || !coded)
    throw new Malformed("a key has the form name+hash+base64");
  const raw = unbase64(coded);
  if (raw.length !== HASH + 1 || raw[0] !== ED25519)
    throw new Malformed("the key of a log is Ed25519");
  const own = await sha256(joined(encode(`${name}\n`), raw));
  if (hex(own.slice(0, KEY_HASH)) !== keyHash)
    throw new Malformed("the key's hash is not that of the key");
  return { name, keyHash, key: raw.slice(1) };
}

/** The hash of a leaf: SHA-256 of a zero byte and the record. */
export const leafHash = (record: string): Promise<Bytes> =>
  sha256(joined(new Uint8Array([0]), encode(record)));

const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> =>
  sha256(joined(new Uint8Array([1]), left, right));

/** The root to which a leaf leads by the hashes beside its path; null: they are not as many as such a path has. RFC 9162 section 2.1.3.2. */
export async function rootOf(
  leaf: Bytes,
  index: number,
  size: number,
  hashes: readonly Bytes[],
): Promise<Bytes | null> {
  if (index >= size) return null;
  let [at, last, root] = [index, size - 1, leaf];
  const half = () => {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  };
  for (const beside of hashes) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      root = await nodeHash(beside, root);
      while (at % 2 === 0 && at !== 0) half();
    } else root = await nodeHash(root, beside);
    half();
  }
  return last === 0 ? root : null;
}

/** "unknown": this browser has no Ed25519, so nobody looked. */
export type Signed = "yes" | "no" | "unknown";

/** Whether the log's key has signed the checkpoint. */
export async function signedBy(
  checkpoint: SignedCheckpoint,
  key: LogKey,
): Promise<Signed> {
  const one = checkpoint.signatures.find(
    (s) => s.name === key.name && s.keyHash === key.keyHash,
  );
  if (key.name !== checkpoint.origin || one?.bytes.length !== SIGNATURE)
    return "no";
  let imported: CryptoKey;
  try {
    const subtle = crypto.subtle;
    imported = await subtle.importKey("raw", key.key, "Ed25519", false, [
      "verify",
    ]);
  } catch {
    return "unknown";
  }
  const body = encode(checkpoint.body);
  const good = crypto.subtle.verify("Ed25519", imported, one.bytes, body);
  return (await good) ? "yes" : "no";
}

/** What a check came to. */
export interface Outcome {
  /** The record is in the log, and the log's key has signed it or nobody could look. */
  proven: boolean;
  signed: Signed;
  checkpoint: SignedCheckpoint | null;
  /** Where it is not proven, why. */
  fault: "" | "malformed" | "root" | "signature" | "browser";
}

/** Holds a record, byte for byte, against its proof and the log's public key. Never throws. */
export async function verify(
  record: string,
  proof: string,
  key: string,
): Promise<Outcome> {
  const none = (
    fault: Outcome["fault"],
    checkpoint: SignedCheckpoint | null = null,
    signed: Signed = "unknown",
  ): Outcome => ({ proven: false, signed, checkpoint, fault });
  // Browsers have it only on pages that came by TLS or from the same machine.
  if (!("subtle" in crypto)) return none("browser");
  try {
    const { index, hashes, checkpoint } = parseProof(proof);
    const at = parseCheckpoint(checkpoint);
    const root = await rootOf(await leafHash(record), index, at.size, hashes);
    if (!root || hex(root) !== hex(at.root)) return none("root", at);
    const signed = await signedBy(at, await parseKey(key));
    if (signed === "no") return none("signature", at, signed);
    return { proven: true, signed, checkpoint: at, fault: "" };
  } catch (error) {
    if (error instanceof Malformed) return none("malformed");
    return none("browser");
  }
}
