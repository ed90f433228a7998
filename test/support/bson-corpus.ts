import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A file of the BSON corpus (github.com/mongodb/specifications, "bson-corpus"), as far as tests here read it. */
export interface CorpusFile {
  readonly description: string;
  readonly valid?: readonly {
    readonly description: string;
    readonly canonical_bson: string;
    readonly degenerate_bson?: string;
  }[];
  readonly decodeErrors?: readonly { readonly description: string; readonly bson: string }[];
}

const folder = resolve(import.meta.dirname, "../../../shared/data/mongodb-specifications/source/bson-corpus/tests");
const present = existsSync(folder);

/** Why tests over the corpus are skipped, or false. */
export const corpusMissing: string | false = present ? false : "the BSON corpus does not lie beside the repository";

export const corpusFiles: readonly CorpusFile[] = present
  ? readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => JSON.parse(readFileSync(resolve(folder, name), "utf8")) as CorpusFile)
  : [];

/** Every valid document with what it is called. */
export const corpusDocuments: readonly { readonly name: string; readonly bytes: Uint8Array }[] = corpusFiles.flatMap(
  (file) =>
    (file.valid ?? []).map((one) => ({
      name: `${file.description}: ${one.description}`,
      bytes: new Uint8Array(Buffer.from(one.canonical_bson, "hex")),
    })),
);
