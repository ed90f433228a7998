import { AsyncLocalStorage } from "node:async_hooks";
import { Kysely } from "kysely";
import type { Clock } from "../../ports/clock.ts";
import type { Metadata, MetadataRecords } from "../../ports/metadata/metadata.ts";
import { accessRecords } from "./access-queries.ts";
import type { Connections } from "./connections.ts";
import { databaseUserRecords } from "./database-user-queries.ts";
import { deploymentRecords } from "./deployment-queries.ts";
import { externalSourceRecords } from "./external-source-queries.ts";
import { garbageCollectionRecords } from "./garbage-collection-queries.ts";
import { jobRecords } from "./job-queries.ts";
import { migrate } from "./migrate.ts";
import {
  holdExclusively,
  inMemory,
  nodeSqliteDialect,
  noTurns,
  oneAtATime,
  openForReading,
  openForWriting,
  sqliteColumnTypes,
  type Turns,
} from "./node-sqlite.ts";
import { objectCheckRecords } from "./object-check-queries.ts";
import { organizationRecords, projectRecords } from "./project-queries.ts";
import { ReadMemory, remembering } from "./read-memory.ts";
import { restoreJobRecords } from "./restore-job-queries.ts";
import type { Schema } from "./schema.ts";
import { snapshotRecords } from "./snapshot-queries.ts";

export interface SqliteMetadataOptions {
  /** The database file, made when there is none (mode 0600); `:memory:` for one that ends with its closing. */
  readonly path: string;
  /** Dates the migrations. */
  readonly clock?: Clock;
}

/**
 * The metadata in one SQLite file, held by this process alone. Every write is on disk when its promise resolves. Throws when another process
 * has the file, or when a newer version of the product wrote it.
 */
export async function createSqliteMetadata({ path, clock }: SqliteMetadataOptions): Promise<Metadata> {
  const opened: { close(): void }[] = [];
  // Readers first, so that the last connection to go folds the log into the file; the hold goes when nothing is open any more.
  const closeAll = (): void =>
    opened
      .splice(0)
      .toReversed()
      .forEach((one) => one.close());
  try {
    if (path !== inMemory) opened.push(holdExclusively(path));
    const writer = openForWriting(path);
    opened.push(writer);
    const insideTransaction = new AsyncLocalStorage<true>();
    const turns = refusingToWaitForOneself(oneAtATime(), insideTransaction);
    const memory = new ReadMemory();
    const write = new Kysely<Schema>({ dialect: nodeSqliteDialect(writer, turns, () => memory.changed()) });
    await migrate(write, sqliteColumnTypes, clock?.nowMs());
    // Reads have a connection of their own, so that they never wait for a transaction; a database in memory has only the one.
    let read = write;
    if (path !== inMemory) {
      const reader = openForReading(path);
      opened.push(reader);
      read = new Kysely<Schema>({ dialect: nodeSqliteDialect(reader, noTurns()) });
    }
    const records = recordsOver({ read, write });
    return {
      // With one connection for all, reads would clear the memory they fill.
      ...(path === inMemory ? records : remembering(records, memory)),
      transaction: (work) =>
        write
          .transaction()
          .execute((transaction) =>
            insideTransaction.run(true, () => work(recordsOver({ read: transaction, write: transaction }))),
          ),
      close: async () => {
        // What is under way is waited for: a turn after everybody else's.
        await turns.take();
        closeAll();
        turns.give();
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

function recordsOver(connections: Connections): MetadataRecords {
  return {
    organizations: organizationRecords(connections),
    projects: projectRecords(connections),
    access: accessRecords(connections),
    deployments: deploymentRecords(connections),
    externalSources: externalSourceRecords(connections),
    databaseUsers: databaseUserRecords(connections),
    snapshots: snapshotRecords(connections),
    restoreJobs: restoreJobRecords(connections),
    jobs: jobRecords(connections),
    objectChecks: objectCheckRecords(connections),
    garbageCollections: garbageCollectionRecords(connections),
  };
}

/** Work in a transaction that asks the metadata itself instead of the records it was given would wait for its own end. */
function refusingToWaitForOneself(turns: Turns, insideTransaction: AsyncLocalStorage<true>): Turns {
  return {
    take: () => {
      if (insideTransaction.getStore() === true) {
        throw new Error("Inside a transaction only the records handed to it may be used.");
      }
      return turns.take();
    },
    give: turns.give,
  };
}
