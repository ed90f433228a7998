import { join } from "node:path";
import { createSystemClock } from "../../adapters/clock-system.ts";
import { createRandomIds } from "../../adapters/ids-random.ts";
import { createSqliteMetadata } from "../../adapters/metadata-sql/sqlite-metadata.ts";
import { type BackupStore, openBackupStore } from "../../backup-store/index.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { openBlobs } from "../blobs.ts";
import { type Configuration, ConfigurationError, readConfiguration } from "../configuration.ts";
import { InUse } from "../exit-codes.ts";
import { createLog } from "../log.ts";
import { readSecret } from "../store-secret.ts";
import { createOutput, type Output } from "./output.ts";

/** What a command holds alone. */
export interface OpenedAll {
  readonly metadata: Metadata;
  readonly store: BackupStore;
}

/** What every command line command is given. */
export interface CommandContext {
  readonly configuration: Configuration;
  /** Words that are no flags. */
  readonly words: readonly string[];
  /** The command's own flags; one without a value is "true". */
  readonly flags: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly output: Output;
  /** The store, changing nothing: works beside a running server. */
  openStoreForReading(): Promise<BackupStore>;
  /** Metadata and store, held by this process alone; a running server has them. */
  openAll(): Promise<OpenedAll>;
  /** The same, or undefined while a running server has them. */
  openAllUnlessServed(): Promise<OpenedAll | undefined>;
}

export interface CliCommand {
  readonly name: string;
  /** Words behind the name, for the usage. */
  readonly parameters: string;
  readonly description: string;
  /** Own flags: true for one that has a value. */
  readonly flags: Readonly<Record<string, boolean>>;
  /** Answers the exit code. */
  run(context: CommandContext): Promise<number>;
}

export async function runCliCommand(command: CliCommand, commandLine: readonly string[]): Promise<number> {
  const problems: string[] = [];
  const { words, flags, rest } = split(command, commandLine, problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const configuration = readConfiguration(rest, process.env);
  const clock = createSystemClock();
  const ids = createRandomIds(clock);
  const randomBytes = (length: number): Uint8Array => ids.randomBytes(length);
  const closing: (() => Promise<void>)[] = [];
  const { blobs: location } = configuration;
  const parts = { clock, randomBytes, log: createLog(configuration.logLevel) };
  const context: CommandContext = {
    configuration,
    words,
    flags,
    clock,
    ids,
    output: createOutput(flags.has("json")),
    async openStoreForReading() {
      const blobs = await openBlobs(location, { ...parts, forReading: true });
      const { secret } = await readSecret(configuration.unlock);
      return openBackupStore({ blobs, secret, randomBytes });
    },
    async openAll() {
      const metadata = await createSqliteMetadata({ path: configuration.metadata.path, clock }).catch(
        (error: unknown) => {
          throw /another process/i.test(String(error)) ? new InUse((error as Error).message) : error;
        },
      );
      closing.push(() => metadata.close());
      const blobs = await openBlobs(location, parts);
      const { secret } = await readSecret(configuration.unlock);
      return { metadata, store: await openBackupStore({ blobs, secret, randomBytes }) };
    },
    async openAllUnlessServed() {
      try {
        return await context.openAll();
      } catch (error) {
        if (error instanceof InUse) return undefined;
        throw error;
      }
    },
  };
  try {
    return await command.run(context);
  } finally {
    context.output.end();
    for (const close of closing.toReversed()) await close();
  }
}

/** Where the data files of the embedded databases are. */
export function engineFolder({ dataDirectory }: Configuration): string {
  return join(dataDirectory, "engine");
}

function split(
  command: CliCommand,
  commandLine: readonly string[],
  problems: string[],
): { readonly words: string[]; readonly flags: Map<string, string>; readonly rest: string[] } {
  const words: string[] = [];
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let position = 0; position < commandLine.length; position += 1) {
    const text = commandLine[position] ?? "";
    const [name = "", ...given] = text.replace(/^--/, "").split("=");
    const hasValue = name === "json" ? false : command.flags[name];
    if (!text.startsWith("--")) words.push(text);
    else if (hasValue === undefined) {
      rest.push(text);
      const next = commandLine[position + 1];
      if (given.length > 0 || next === undefined) continue;
      rest.push(next);
      position += 1;
    } else if (!hasValue) flags.set(name, "true");
    else {
      const value = given.length > 0 ? given.join("=") : commandLine[(position += 1)];
      if (value === undefined || value === "") problems.push(`--${name} needs a value`);
      else flags.set(name, value);
    }
  }
  return { words, flags, rest };
}

/** A flag that is a whole number; throws `ConfigurationError`. */
export function numberFlag(flags: ReadonlyMap<string, string>, name: string, fallback: number): number {
  const text = flags.get(name);
  if (text === undefined) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new ConfigurationError([`--${name} must be a whole number, not ${text}`]);
  return Number(text);
}
