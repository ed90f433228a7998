import { createHash } from "node:crypto";
import { mkdir, open, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { deserialize, EJSON } from "bson";
import type { SnapshotReader, StoredCollection } from "../../ports/snapshot-repository.ts";
import { ConfigurationError } from "../configuration.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CliCommand } from "./command.ts";
import { sizeText } from "./output.ts";
import { readCatalogue } from "./read-catalogue.ts";

export const exportSnapshot: CliCommand = {
  name: "export",
  parameters: "SNAPSHOT-ID --output FOLDER",
  description:
    "Writes a snapshot as a folder of the kind mongodump writes and mongorestore reads: <database>/<collection>.bson and .metadata.json. Works beside a running server.",
  flags: { output: true },
  async run({ words, flags, output, openStoreForReading }) {
    const [snapshotId] = words;
    const folder = flags.get("output");
    if (snapshotId === undefined || words.length !== 1 || folder === undefined)
      throw new ConfigurationError(["export needs one snapshot's id and --output FOLDER"]);
    const store = await openStoreForReading();
    const { records } = await readCatalogue(store);
    const record = records.find(({ snapshot }) => snapshot.id === snapshotId);
    if (record?.snapshot.manifestKey === undefined) throw new Error(`the store has no snapshot ${snapshotId}`);
    const reader = await store.open(record.snapshot.manifestKey);
    const target = resolve(folder);
    const unfinished = `${target}.unfinished`;
    await mkdir(unfinished, { mode: 0o700 });
    let writtenBytes = 0;
    for (const collection of reader.collections)
      await writeCollection(reader, collection, unfinished, (sizeBytes) => {
        writtenBytes += sizeBytes;
        output.progress(`${collection.database}.${collection.name}: ${sizeText(writtenBytes)}`);
      });
    await rename(unfinished, target);
    output.result(
      { snapshotId, folder: target, collectionCount: reader.collections.length, dataSizeBytes: writtenBytes },
      () => [`${reader.collections.length} collections, ${sizeText(writtenBytes)}, in ${target}`],
    );
    return exitCodes.ok;
  },
};

async function writeCollection(
  reader: SnapshotReader,
  collection: StoredCollection,
  root: string,
  written: (sizeBytes: number) => void,
): Promise<void> {
  const { database, name, type } = collection;
  const folder = join(root, fileName(database));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, fileName(name));
  {
    await using file = await open(`${path}.metadata.json`, "wx", 0o600);
    await file.writeFile(metadataText(collection));
    await file.sync();
  }
  if (type === "view") return;
  await using file = await open(`${path}.bson`, "wx", 0o600);
  for await (const piece of reader.documents(database, name)) {
    await file.writeFile(piece);
    written(piece.length);
  }
  await file.sync();
}

/** As mongodump writes it: canonical extended JSON, in this order of keys. */
function metadataText({ name, type, uuid, options, indexes }: StoredCollection): string {
  const values = (bytes: Uint8Array): object => deserialize(bytes, { promoteValues: false });
  const fields = {
    ...(options.length > 5 && { options: values(options) }),
    indexes: indexes.map(values),
    ...(uuid !== undefined && { uuid: Buffer.from(uuid).toString("hex") }),
    collectionName: name,
    type,
  };
  return EJSON.stringify(fields, { relaxed: false });
}

/** Longest escaped name that is kept whole, and how much of a longer one is. */
const nameMax = 238;
const nameKept = 208;

/** Names as mongodump escapes them for files: like a query, and a long one cut with its hash behind it. */
export function fileName(name: string): string {
  const escaped = encodeURIComponent(name)
    .replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
  if (escaped.length <= nameMax) return escaped;
  return `${escaped.slice(0, nameKept)}%24${createHash("sha1").update(name).digest("base64url")}`;
}
