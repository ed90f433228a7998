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

/** Undefined when the files are not there. A line keeps its number, so that exceptions can name it; unreadable ones are undefined. */
export function readCases(name: string): readonly (Case | undefined)[] | undefined {
  const path = resolve(casesFolder, `${name}.jsonl`);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      try {
        return EJSON.parse(line, { relaxed: false }) as Case;
      } catch {
        // A few lines hold Extended JSON (UUIDs of a wrong length) that the BSON library refuses to read.
        return undefined;
      }
    });
}

/** A document's bytes. */
export function bytesOf(plain: unknown): Uint8Array {
  return serialize(plain as Document, { ignoreUndefined: false });
}

/** What became of a case: right, wrong and why, or not judged and why. */
export type Outcome =
  | { readonly kind: "right" }
  | { readonly kind: "wrong"; readonly why: string }
  | { readonly kind: "unjudged"; readonly why: string };

export const right: Outcome = { kind: "right" };

export function wrong(why: string): Outcome {
  return { kind: "wrong", why };
}

export function unjudged(why: string): Outcome {
  return { kind: "unjudged", why };
}

export interface Tally {
  right: number;
  readonly misses: { readonly line: number; readonly why: string }[];
  /** Reasons for not judging, with how many cases each. */
  readonly unjudged: Map<string, number>;
}

/** Runs every case but the exceptions. */
export function tally(
  cases: readonly (Case | undefined)[],
  exceptions: Readonly<Record<number, string>>,
  run: (one: Case) => Outcome,
): Tally {
  const result: Tally = { right: 0, misses: [], unjudged: new Map() };
  for (const [line, one] of cases.entries())
    count(result, line, withoutRun(one, exceptions[line]) ?? guarded(one as Case, run));
  return result;
}

/** As `tally`, for cases that take time, one after the other. */
export async function tallyInOrder(
  cases: readonly (Case | undefined)[],
  exceptions: Readonly<Record<number, string>>,
  run: (one: Case) => Promise<Outcome>,
): Promise<Tally> {
  const result: Tally = { right: 0, misses: [], unjudged: new Map() };
  for (const [line, one] of cases.entries())
    count(result, line, withoutRun(one, exceptions[line]) ?? (await run(one as Case).catch(thrown)));
  return result;
}

function withoutRun(one: Case | undefined, exception: string | undefined): Outcome | undefined {
  if (exception !== undefined) return unjudged(exception);
  return one === undefined ? unjudged("unreadable") : undefined;
}

function count(result: Tally, line: number, outcome: Outcome): void {
  if (outcome.kind === "right") result.right += 1;
  else if (outcome.kind === "wrong") result.misses.push({ line, why: outcome.why });
  else result.unjudged.set(outcome.why, (result.unjudged.get(outcome.why) ?? 0) + 1);
}

/** Share right of what was judged, in percent with one decimal. */
export function share(result: Tally): number {
  return Math.round((1000 * result.right) / (result.right + result.misses.length)) / 10;
}

function guarded(one: Case, run: (one: Case) => Outcome): Outcome {
  try {
    return run(one);
  } catch (error) {
    return thrown(error);
  }
}

function thrown(error: unknown): Outcome {
  return wrong(`threw ${(error as Error).stack?.split("\n").slice(0, 3).join(" ") ?? String(error)}`);
}
