import { createCipheriv, createDecipheriv, hkdfSync, scrypt } from "node:crypto";
import { repositoryIdLength } from "./keys.ts";

/** What opens a repository: 32 bytes of a key, or a passphrase. */
export type StoreSecret = Uint8Array | string;

/** What the secret of a slot is turned into a key by. */
type Derivation =
  | { readonly name: "hkdf-sha-256"; readonly salt: string }
  | {
      readonly name: "scrypt";
      readonly cost: number;
      readonly blockSize: number;
      readonly parallel: number;
      readonly salt: string;
    };

/** A key slot's object. Bytes are hexadecimal text. */
export interface KeySlotObject {
  readonly format: "telamon key slot";
  readonly version: 1;
  /** For people: where the secret is kept. */
  readonly label: string;
  readonly derivation: Derivation;
  readonly seal: "aes-256-gcm";
  readonly nonce: string;
  readonly sealed: string;
}

/** What a slot holds. */
export interface RepositorySecrets {
  readonly repositoryId: Uint8Array;
  readonly masterKey: Uint8Array;
}

const keyLength = 32;
const tagLength = 16;
/** RFC 7914 with what restic chose: 64 MiB and some tenths of a second for each guess. */
const scryptCost = 65_536;
const scryptBlockSize = 8;
/** A slot that asks for more is damage or an attack on memory. */
const scryptCostMax = 2 ** 20;

export function slotText(slot: KeySlotObject): string {
  return `${JSON.stringify(slot)}\n`;
}

/** Throws when the bytes are no slot of this version, to the letter. */
export function parseSlot(bytes: Uint8Array): KeySlotObject {
  const text = Buffer.from(bytes).toString();
  const match = slotPattern.exec(text);
  if (match === null) throw new Error("it is no key slot of format version 1");
  return JSON.parse(text) as KeySlotObject;
}

const slotPattern = new RegExp(
  [
    String.raw`^\{"format":"telamon key slot","version":1,"label":"[\w .:/-]{0,100}",`,
    String.raw`"derivation":\{"name":(?:"hkdf-sha-256"|"scrypt","cost":\d{1,7},"blockSize":\d{1,2},"parallel":\d{1,2}),"salt":"[0-9a-f]{64}"\},`,
    String.raw`"seal":"aes-256-gcm","nonce":"[0-9a-f]{24}","sealed":"[0-9a-f]{128}"\}\n$`,
  ].join(""),
);

export async function sealSlot(
  secret: StoreSecret,
  label: string,
  { repositoryId, masterKey }: RepositorySecrets,
  randomBytes: (length: number) => Uint8Array,
): Promise<KeySlotObject> {
  const salt = Buffer.from(randomBytes(32)).toString("hex");
  const derivation: Derivation =
    typeof secret === "string"
      ? { name: "scrypt", cost: scryptCost, blockSize: scryptBlockSize, parallel: 1, salt }
      : { name: "hkdf-sha-256", salt };
  const head = {
    format: "telamon key slot",
    version: 1,
    label,
    derivation,
    seal: "aes-256-gcm",
    nonce: Buffer.from(randomBytes(12)).toString("hex"),
  } as const;
  const cipher = createCipheriv("aes-256-gcm", await keyOf(secret, derivation), Buffer.from(head.nonce, "hex")).setAAD(
    Buffer.from(JSON.stringify(head)),
  );
  const sealed = Buffer.concat([
    cipher.update(repositoryId),
    cipher.update(masterKey),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const slot: KeySlotObject = { ...head, sealed: sealed.toString("hex") };
  if (!slotPattern.test(slotText(slot)))
    throw new Error("a key slot's label has at most 100 letters, digits and characters of: space . : / _ -");
  return slot;
}

/** Undefined when the secret is not this slot's. */
export async function openSlot(secret: StoreSecret, slot: KeySlotObject): Promise<RepositorySecrets | undefined> {
  // A key never opens a passphrase's slot; trying would only cost time.
  if ((typeof secret === "string") !== (slot.derivation.name === "scrypt")) return undefined;
  const { sealed, ...head } = slot;
  const bytes = Buffer.from(sealed, "hex");
  if (bytes.length !== repositoryIdLength + keyLength + tagLength) return undefined;
  const end = bytes.length - tagLength;
  try {
    const decipher = createDecipheriv(
      "aes-256-gcm",
      await keyOf(secret, slot.derivation),
      Buffer.from(head.nonce, "hex"),
    )
      .setAAD(Buffer.from(JSON.stringify(head)))
      .setAuthTag(bytes.subarray(end));
    const plain = Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()]);
    return { repositoryId: plain.subarray(0, repositoryIdLength), masterKey: plain.subarray(repositoryIdLength) };
  } catch {
    return undefined;
  }
}

async function keyOf(secret: StoreSecret, derivation: Derivation): Promise<Uint8Array> {
  const salt = Buffer.from(derivation.salt, "hex");
  if (derivation.name === "hkdf-sha-256") {
    if (typeof secret === "string" || secret.length !== keyLength) throw new Error("a master key has 32 bytes");
    return new Uint8Array(hkdfSync("sha256", secret, salt, "telamon key slot v1", keyLength));
  }
  const { cost, blockSize, parallel } = derivation;
  if (!(cost <= scryptCostMax && blockSize <= 32 && parallel <= 16)) throw new Error("a key slot asks for too much");
  return new Promise((resolve, reject) => {
    // NFC, so that one passphrase typed on two keyboards is one.
    const passphrase = Buffer.from(String(secret).normalize("NFC"));
    const options = { N: cost, r: blockSize, p: parallel, maxmem: 160 * cost * blockSize };
    scrypt(passphrase, salt, keyLength, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
