import {
  bsonType,
  type Engine,
  EngineError,
  fieldsOf,
  getField,
  int64Of,
  type ReadOptions,
  textOf,
  typeName,
  type Value,
} from "../engine/index.ts";
import type { CommandDefinition } from "./define-command.ts";

const levels: ReadonlySet<string> = new Set(["local", "available", "majority", "linearizable", "snapshot"]);

export interface ReadConcern {
  readonly level: string;
  /** Bits of a timestamp. */
  readonly atClusterTime: bigint | undefined;
}

/** Reads `readConcern`. With one node, whatever is read is what the majority has; only `snapshot` differs. Throws 2, 9, 14, 72. */
export function readConcernOf(
  definition: CommandDefinition,
  body: Uint8Array,
  inTransaction: boolean = false,
): ReadConcern {
  const concern = getField(body, "readConcern");
  if (concern === undefined || concern.type === bsonType.null) return { level: "local", atClusterTime: undefined };
  if (concern.type !== bsonType.object) throw wrongType("readConcern", concern, "object");
  let level = "local";
  let at: Value | undefined;
  for (const { name, value } of fieldsOf(concern.bytes())) {
    if (name === "level") level = levelOf(value);
    else if (name === "atClusterTime") at = timestampOf(name, value);
    // Whatever was written before is there already.
    else if (name === "afterClusterTime") timestampOf(name, value);
    else if (name !== "provenance")
      throw new EngineError(9, "FailedToParse", `Unrecognized option in readConcern: ${name}`);
  }
  if (level === "snapshot" && definition.snapshotReads !== true && !inTransaction)
    throw new EngineError(
      72,
      "InvalidOptions",
      `Command ${definition.name} does not support { readConcern: { level: "snapshot" } }`,
    );
  if (at === undefined) return { level, atClusterTime: undefined };
  if (level !== "snapshot")
    throw new EngineError(72, "InvalidOptions", "atClusterTime field can be set only if level is equal to snapshot");
  return { level, atClusterTime: BigInt.asUintN(64, int64Of(at)) };
}

/** How the engine is to read; a snapshot without a time is pinned now. */
export async function readOptionsOf(concern: ReadConcern, signal: AbortSignal, engine: Engine): Promise<ReadOptions> {
  if (concern.level !== "snapshot") return { signal };
  if (concern.atClusterTime === undefined) return { signal, atClusterTime: await engine.beginSnapshot() };
  return {
    signal,
    atClusterTime: {
      seconds: Number(concern.atClusterTime >> 32n),
      increment: Number(concern.atClusterTime & 0xffff_ffffn),
    },
  };
}

function levelOf(value: Value): string {
  if (value.type !== bsonType.string) throw wrongType("readConcern.level", value, "string");
  const level = textOf(value);
  if (!levels.has(level))
    throw new EngineError(
      2,
      "BadValue",
      `Enumeration value '${level}' for field 'readConcern.level' is not a valid value.`,
    );
  return level;
}

function timestampOf(name: string, value: Value): Value {
  if (value.type !== bsonType.timestamp) throw wrongType(`readConcern.${name}`, value, "timestamp");
  return value;
}

function wrongType(name: string, value: Value, expected: string): EngineError {
  return new EngineError(
    14,
    "TypeMismatch",
    `BSON field '${name}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
  );
}
