import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { EJSON, type Document, serialize } from "bson";

/** Cases that somebody else wrote, with the results they expect; read from beside the repository, never copied into it. */
export const casesFolder = resolve(import.meta.dirname, "../../../shared/data/documentdb-cases");

/** One line of a file: what goes in and what must come out, plain values with BSON types kept. */
export interface Case extends Document {
  readonly source: string;
  readonly expected?: unknown;
  readonly error?: string;
}

/** Undefined when the files are not there. */
export function readCases(name: string): readonly Case[] | undefined {
  const path = resolve(casesFolder, `${name}.jsonl`);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => {
      try {
        return [EJSON.parse(line, { relaxed: false }) as Case];
      } catch {
        // A few lines hold Extended JSON (UUIDs of a wrong length) that the BSON library refuses to read.
        return [];
      }
    });
}

/** A document's bytes. */
export function bytesOf(plain: unknown): Uint8Array {
  return serialize(plain as Document, { ignoreUndefined: false });
}

export interface Tally {
  right: number;
  wrong: number;
  readonly misses: { readonly index: number; readonly why: string }[];
}

/** Runs every case; `run` answers undefined when right, else why not. */
export function tally(cases: readonly Case[], run: (one: Case) => string | undefined): Tally {
  const result: Tally = { right: 0, wrong: 0, misses: [] };
  for (const [index, one] of cases.entries()) {
    let why: string | undefined;
    try {
      why = run(one);
    } catch (error) {
      why = `threw ${(error as Error).stack?.split("\n").slice(0, 3).join(" ") ?? String(error)}`;
    }
    if (why === undefined) result.right += 1;
    else {
      result.wrong += 1;
      result.misses.push({ index, why });
    }
  }
  return result;
}

/** Share right, in percent with one decimal. */
export function share(result: Tally): number {
  return Math.round((1000 * result.right) / (result.right + result.wrong)) / 10;
}
