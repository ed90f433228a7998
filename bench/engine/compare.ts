import { type Row, rows } from "./rows.ts";
import type { BenchServer } from "./server.ts";

const databaseName = "bench";

export interface Effort {
  /** In the collection that is read. */
  readonly documents: number;
  readonly rounds: number;
  /** Of one row in one round; a step that has begun is ended. */
  readonly seconds: number;
}

/** Runs every row on both in turns, and prints medians of units a second and their ratio: above 1 the first is ahead. */
export async function compare(ours: BenchServer, theirs: BenchServer, effort: Effort): Promise<void> {
  console.log(
    `${effort.documents} documents of about 400 bytes, ${effort.rounds} rounds of ${effort.seconds} s each, in turns; medians of units a second\n`,
  );
  console.log(`${"row".padEnd(40)} ${"unit".padEnd(11)} ${ours.name.padStart(12)} ${theirs.name.padStart(18)}   ratio`);
  for (const row of rows) {
    const own: number[] = [];
    const other: number[] = [];
    for (let round = 0; round < effort.rounds; round += 1) {
      for (const server of round % 2 === 0 ? [ours, theirs] : [theirs, ours])
        (server === ours ? own : other).push(await rate(row, server, effort));
    }
    const ratio = median(own) / median(other);
    const aim = row.scan === true ? 2 : 1;
    console.log(
      `${row.name.padEnd(40)} ${row.unit.padEnd(11)} ${median(own).toFixed(0).padStart(12)} ${median(other).toFixed(0).padStart(18)} ${ratio.toFixed(2).padStart(7)}${ratio < aim ? `  below the aim of ${aim}` : ""}`,
    );
  }
  console.log(
    `\nmemory after it: ${[ours, theirs].map((server) => `${server.name} ${Math.round(server.residentBytes() / 1_048_576)} MiB`).join(", ")}\n`,
  );
}

async function rate(row: Row, { client }: BenchServer, { documents, seconds }: Effort): Promise<number> {
  const database = client.db(databaseName);
  // Opens the connections that the row will use.
  await Promise.all(Array.from({ length: row.clients ?? 1 }, () => database.command({ ping: 1 })));
  const startedMs = performance.now();
  let index = 0;
  let units = 0;
  const steps = async (): Promise<void> => {
    do {
      const own = index;
      index += 1;
      const done = await row.step(database, own, documents);
      units += done;
    } while (performance.now() - startedMs < seconds * 1000);
  };
  await Promise.all(Array.from({ length: row.clients ?? 1 }, steps));
  return (units / (performance.now() - startedMs)) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
