import { rename } from "node:fs/promises";
import { resolve } from "node:path";
import { loadOrCreateMasterKey } from "../../adapters/master-key-file/master-key-file.ts";
import type { BackupStore } from "../../backup-store/index.ts";
import { BlobError } from "../../ports/blob-store.ts";
import { ConfigurationError, parseUnlock } from "../configuration.ts";
import { readSecret } from "../store-secret.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CliCommand, CommandContext } from "./command.ts";
import { table } from "./output.ts";

export const keys: CliCommand = {
  name: "keys",
  parameters: "list | add --new LOCATION | remove SLOT-ID | rotate",
  description:
    "Ways into the store. add: also opens with LOCATION (as --unlock takes it); rotate: a new key in the key file, after which the old one opens nothing. No pack is rewritten. The server must be stopped, but for list.",
  flags: { new: true },
  async run(context) {
    const [action, ...rest] = context.words;
    switch (action) {
      case "list":
        return list(context);
      case "add":
        return add(context);
      case "remove":
        return remove(context, rest[0]);
      case "rotate":
        return rotate(context);
      default:
        throw new ConfigurationError(["keys needs one of list, add, remove, rotate"]);
    }
  },
};

async function list({ output, openStoreForReading }: CommandContext): Promise<number> {
  const slots = await (await openStoreForReading()).keySlots.list();
  output.result({ keySlots: slots }, () =>
    table(
      ["ID", "KIND", "LABEL", "COPIES"],
      slots.map(({ id, kind, label, readableCopies }) => [id, kind, label, `${readableCopies} of 2`]),
    ),
  );
  return slots.every(({ readableCopies }) => readableCopies === 2) ? exitCodes.ok : exitCodes.damaged;
}

async function add(context: CommandContext): Promise<number> {
  const { flags, ids, output, openAll } = context;
  const problems: string[] = [];
  const location = parseUnlock(flags.get("new") ?? "", resolve("master.key"), problems);
  if (problems.length > 0) throw new ConfigurationError(["keys add needs --new with a location as --unlock takes it"]);
  const { store } = await openAll();
  const { secret, label } = await readSecret(location, (length) => ids.randomBytes(length));
  const id = await store.keySlots.add(secret, label);
  output.result({ added: id, label }, () => [`added key slot ${id} (${label})`]);
  return exitCodes.ok;
}

async function remove({ output, openAll }: CommandContext, slotId: string | undefined): Promise<number> {
  if (slotId === undefined) throw new ConfigurationError(["keys remove needs a slot's id"]);
  const { store } = await openAll();
  await store.keySlots.remove(slotId);
  output.result({ removed: slotId }, () => [`removed key slot ${slotId}`]);
  return exitCodes.ok;
}

/** At every moment the file's key opens the store: the new slot is there before the file changes, and the old one goes after. */
async function rotate({ configuration, ids, output, openAll }: CommandContext): Promise<number> {
  const { unlock } = configuration;
  if (unlock.kind !== "key file")
    throw new ConfigurationError(["keys rotate renews a key file; for other secrets use keys add and keys remove"]);
  const { store } = await openAll();
  const { secret, label } = await readSecret(unlock);
  const old = await store.keySlots.find(secret);
  const nextPath = `${unlock.path}.next`;
  const next = await loadOrCreateMasterKey(nextPath, (length) => ids.randomBytes(length));
  const added = (await store.keySlots.find(next)) ?? (await store.keySlots.add(next, label));
  await rename(nextPath, unlock.path);
  const locked = await removeOld(store, old, added);
  if (locked !== undefined) {
    output.result({ added, removed: null, locked: old }, () => [
      `the key in ${unlock.path} is new: keep a copy of it elsewhere`,
      `THE OLD ONE STILL OPENS THE STORE: ${locked.message}; then: telamon keys remove ${old ?? ""}`,
    ]);
    return exitCodes.failed;
  }
  output.result({ added, removed: old ?? null }, () => [
    `the key in ${unlock.path} is new: keep a copy of it elsewhere; the old one opens nothing any more`,
  ]);
  return exitCodes.ok;
}

/** Answers why the old slot stays, when its place keeps it locked. */
async function removeOld(store: BackupStore, old: string | undefined, added: string): Promise<BlobError | undefined> {
  if (old === undefined || old === added) return undefined;
  try {
    await store.keySlots.remove(old);
    return undefined;
  } catch (error) {
    if (error instanceof BlobError && error.code === "blob_locked") return error;
    throw error;
  }
}
