import { BlobError, type BlobStore } from "../ports/blob-store.ts";
import { cataloguePrefix, readCatalogueRecord } from "./catalogue.ts";
import { formatKey, formatText, repositoryIdOf } from "./format-object.ts";
import {
  type KeySlotObject,
  openSlot,
  parseSlot,
  type RepositorySecrets,
  sealSlot,
  slotText,
  type StoreSecret,
} from "./key-slot.ts";
import { deriveKeys, repositoryIdLength } from "./keys.ts";
import { openManifest } from "./manifest.ts";

/** A slot as it is shown: never what it holds. */
export interface KeySlotSummary {
  readonly id: string;
  readonly label: string;
  readonly kind: "key" | "passphrase";
  /** Copies that can be read, of two. */
  readonly readableCopies: number;
}

/** The ways into a repository. Each holds the same master key, sealed under a secret of its own, so that a secret is changed without touching a pack. */
export interface KeySlots {
  list(): Promise<readonly KeySlotSummary[]>;
  /** Adds a way in, and answers the slot's id once it was read back and opened. */
  add(secret: StoreSecret, label: string): Promise<string>;
  /** The slot that a secret opens; undefined when none does. */
  find(secret: StoreSecret): Promise<string | undefined>;
  /** Throws when there is no such slot, or it is the only one that can be read, or, `blob_locked`, when its place keeps it locked. */
  remove(slotId: string): Promise<void>;
}

/** A slot is stored twice: without one no byte of the repository can be read. */
const copies = [1, 2] as const;
export const slotPrefix = "keys/";

export interface SlotParts {
  readonly blobs: BlobStore;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Opens a repository's secrets, making a new repository when the place is empty. The format object decides which repository it is: of several makers at once the one whose
 * format object stands has made it, and a listing that wrongly shows nothing cannot replace what is there. Throws when no slot opens with `secret`.
 */
export async function openOrCreateSecrets(
  parts: SlotParts,
  secret: StoreSecret,
  label: string,
): Promise<RepositorySecrets> {
  for (let count = 0; count < openingsMax; count += 1) {
    const slots = await slotsOrNothing(parts.blobs);
    const secrets = slots.size === 0 ? await create(parts, secret, label) : await openWith(parts.blobs, slots, secret);
    if (secrets !== undefined) return secrets;
  }
  throw new Error("the backup store is being made by others all the time");
}

/** Makers that may be first, one after the other. */
const openingsMax = 3;

/** Undefined when another repository was made here in between. */
async function openWith(
  blobs: BlobStore,
  slots: ReadonlyMap<string, readonly KeySlotObject[]>,
  secret: StoreSecret,
): Promise<RepositorySecrets | undefined> {
  const repositoryId = await readRepositoryId(blobs);
  const others: RepositorySecrets[] = [];
  // Every copy is tried: one may be hurt where only the seal can tell.
  for (const slot of [...slots.values()].flat()) {
    const found = await openSlot(secret, slot);
    if (found === undefined) continue;
    if (repositoryId === "damaged") return found;
    if (repositoryId === undefined) return (await putFormat(blobs, found)) ? found : undefined;
    if (Buffer.compare(found.repositoryId, repositoryId) === 0) return found;
    others.push(found);
  }
  // Either a maker that came second left its slots behind, or the format object is hurt: what is stored knows its key.
  for (const other of others) if (await holds(blobs, other)) return other;
  throw new Error(
    `the ${typeof secret === "string" ? "passphrase" : "master key"} is none that opens this backup store (its key slots: ${[...slots.values()].map(([slot]) => slot?.label ?? "a damaged one").join(", ")})`,
  );
}

/** Whether something is stored that was sealed with these secrets. */
async function holds(blobs: BlobStore, { masterKey, repositoryId }: RepositorySecrets): Promise<boolean> {
  const keys = deriveKeys(masterKey, repositoryId);
  for (const prefix of [cataloguePrefix, "manifests/"])
    for await (const { key } of blobs.list(prefix)) {
      const read =
        prefix === cataloguePrefix
          ? readCatalogueRecord({ blobs, keys }, key)
          : blobs.get(key).then((bytes) => openManifest(bytes, keys, key));
      const isOurs = await read.then(
        () => true,
        () => false,
      );
      if (isOurs) return true;
    }
  return false;
}

/** A damaged one is for `verify` to tell: what must be trusted stands in the slots. Throws for one of a newer version. */
async function readRepositoryId(blobs: BlobStore): Promise<Uint8Array | "damaged" | undefined> {
  if ((await blobs.stat(formatKey)) === undefined) return undefined;
  const bytes = await blobs.get(formatKey);
  try {
    const id = repositoryIdOf(bytes);
    return formatText(id) === Buffer.from(bytes).toString("latin1") ? id : "damaged";
  } catch {
    return "damaged";
  }
}

/** False when another repository's stands there. */
async function putFormat(blobs: BlobStore, { repositoryId }: RepositorySecrets): Promise<boolean> {
  try {
    await blobs.put(formatKey, [Buffer.from(formatText(repositoryId))]);
    return true;
  } catch (error) {
    if (error instanceof BlobError && error.code === "blob_exists") return false;
    throw error;
  }
}

export function createKeySlots(parts: SlotParts, secrets: RepositorySecrets): KeySlots {
  const { blobs } = parts;
  return {
    list: async () =>
      [...(await readSlots(blobs))].map(([id, readable]) => ({
        id,
        label: readable[0]?.label ?? "damaged",
        kind: readable[0]?.derivation.name === "scrypt" ? "passphrase" : "key",
        readableCopies: readable.length,
      })),
    add: (secret, label) => putSlot(parts, secret, label, secrets),
    async find(secret) {
      for (const [id, readable] of await readSlots(blobs))
        for (const slot of readable) if ((await openSlot(secret, slot)) !== undefined) return id;
      return undefined;
    },
    async remove(slotId) {
      const slots = await readSlots(blobs);
      if (!slots.has(slotId)) throw new Error(`there is no key slot ${slotId}`);
      const others = [...slots].filter(([id, readable]) => id !== slotId && readable.length > 0);
      if (others.length === 0) throw new Error("it is the only key slot; without it nothing could be read any more");
      for (const copy of copies) await blobs.delete(`${slotPrefix}${slotId}.${copy}`);
    },
  };
}

/** Copies that can be read, by the slot's id, in the order of the ids. */
async function readSlots(blobs: BlobStore): Promise<ReadonlyMap<string, readonly KeySlotObject[]>> {
  const keys: string[] = [];
  for await (const { key } of blobs.list(slotPrefix)) keys.push(key);
  const slots = new Map<string, readonly KeySlotObject[]>();
  for (const key of keys.toSorted()) {
    const id = /^keys\/([0-9a-f]{16})\.[12]$/.exec(key)?.[1];
    if (id === undefined) continue;
    const slot = await readSlot(blobs, key);
    slots.set(id, [...(slots.get(id) ?? []), ...(slot === undefined ? [] : [slot])]);
  }
  return slots;
}

async function readSlot(blobs: BlobStore, key: string): Promise<KeySlotObject | undefined> {
  const bytes = await blobs.get(key);
  try {
    return parseSlot(bytes);
  } catch {
    return undefined;
  }
}

/** Undefined when somebody else made one first. */
async function create(parts: SlotParts, secret: StoreSecret, label: string): Promise<RepositorySecrets | undefined> {
  const { blobs, randomBytes } = parts;
  const secrets = { repositoryId: randomBytes(repositoryIdLength), masterKey: randomBytes(32) };
  const slotId = await putSlot(parts, secret, label, secrets);
  if (await putFormat(blobs, secrets)) return secrets;
  for (const copy of copies)
    await blobs.delete(`${slotPrefix}${slotId}.${copy}`).catch((error: unknown) => {
      // It opens a key that nothing is sealed with.
      if (!(error instanceof BlobError) || error.code !== "blob_locked") throw error;
    });
  return undefined;
}

/** The slots, or none where nothing is stored. Throws where something is that a key was used for: then the slots were lost, and a new key would hide that. */
async function slotsOrNothing(blobs: BlobStore): Promise<ReadonlyMap<string, readonly KeySlotObject[]>> {
  const slots = await readSlots(blobs);
  if (slots.size > 0) return slots;
  const { done } = await blobs.list("")[Symbol.asyncIterator]().next();
  if (done === true) return slots;
  // What is there may be the slot that another maker has put since they were looked for.
  const putSince = await readSlots(blobs);
  if (putSince.size > 0) return putSince;
  throw new Error("the backup store has no key slot any more, or the place holds something else");
}

async function putSlot(
  { blobs, randomBytes }: SlotParts,
  secret: StoreSecret,
  label: string,
  secrets: RepositorySecrets,
): Promise<string> {
  const slot = await sealSlot(secret, label, secrets, randomBytes);
  const id = Buffer.from(randomBytes(8)).toString("hex");
  for (const copy of copies) {
    const key = `${slotPrefix}${id}.${copy}`;
    await blobs.put(key, [Buffer.from(slotText(slot))]);
    const opened = await openSlot(secret, parseSlot(await blobs.get(key)));
    if (opened === undefined || !Buffer.from(opened.masterKey).equals(secrets.masterKey))
      throw new Error(`the key slot ${key} does not read back as it was written`);
  }
  return id;
}
