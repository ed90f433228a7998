import {
  bsonType,
  EngineError,
  fieldsOf,
  getField,
  int32Value,
  isNumberType,
  isTruthy,
  objectValue,
  stringValue,
  textOf,
  toNumber,
  type Value,
} from "../engine/index.ts";
import type { Action, CommandDefinition, Reply } from "./define-command.ts";

const writing: ReadonlySet<Action> = new Set(["write", "collectionAdmin", "databaseAdmin"]);

export interface WriteConcern {
  /** Whether the disk must have it before the answer: only who says otherwise (`w: 0`, or `w: 1` with `j: false`) gets one earlier. */
  readonly durable: boolean;
  /** What one node cannot promise. The write is done all the same, as on MongoDB. */
  readonly unsatisfiable: { readonly code: number; readonly codeName: string; readonly message: string } | undefined;
}

/** Reads `writeConcern` (manual, "Write Concern"). Throws 9, 14, and 72 for a command that does not write. */
export function writeConcernOf(definition: CommandDefinition, body: Uint8Array): WriteConcern {
  const concern = getField(body, "writeConcern");
  if (concern === undefined || concern.type === bsonType.null) return { durable: true, unsatisfiable: undefined };
  if (concern.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", "BSON field 'writeConcern' is the wrong type, expected type 'object'");
  if (!writing.has(definition.action) && definition.takesWriteConcern !== true)
    throw new EngineError(72, "InvalidOptions", `Command ${definition.name} does not support writeConcern`);
  let w: Value | undefined;
  let journal: boolean | undefined;
  for (const { name, value } of fieldsOf(concern.bytes())) {
    if (name === "w") w = value;
    else if (name === "j" || name === "fsync") journal = flagOf(name, value) || journal === true;
    else if (name === "wtimeout") requireNumber(name, value);
    else if (name !== "provenance" && name !== "getLastError")
      throw new EngineError(9, "FailedToParse", `unrecognized write concern field: ${name}`);
  }
  if (w !== undefined && isNumberType(w.type)) return ofNodes(toNumber(w), journal);
  if (w !== undefined && w.type !== bsonType.string)
    throw new EngineError(9, "FailedToParse", "w has to be a number or a string");
  const mode = w === undefined ? "majority" : textOf(w);
  return {
    durable: true,
    unsatisfiable:
      mode === "majority"
        ? undefined
        : {
            code: 79,
            codeName: "UnknownReplWriteConcern",
            message: `No write concern mode named '${mode}' found in replica set configuration`,
          },
  };
}

/** `writeConcernError` of a reply, when there is one. */
export function writeConcernErrorField({ unsatisfiable }: WriteConcern): Reply {
  if (unsatisfiable === undefined) return [];
  return [
    [
      "writeConcernError",
      objectValue([
        ["code", int32Value(unsatisfiable.code)],
        ["codeName", stringValue(unsatisfiable.codeName)],
        ["errmsg", stringValue(unsatisfiable.message)],
        ["errInfo", objectValue([["writeConcern", objectValue([["provenance", stringValue("clientSupplied")]])]])],
      ]),
    ],
  ];
}

function ofNodes(count: number, journal: boolean | undefined): WriteConcern {
  if (!Number.isInteger(count) || count < 0 || count > 50)
    throw new EngineError(9, "FailedToParse", "w has to be a non-negative number and not greater than 50");
  if (count === 0 && journal === true) return { durable: true, unsatisfiable: undefined };
  return {
    durable: count > 1 || (count === 1 && journal !== false),
    unsatisfiable:
      count > 1
        ? { code: 100, codeName: "UnsatisfiableWriteConcern", message: "Not enough data-bearing nodes" }
        : undefined,
  };
}

function flagOf(name: string, value: Value): boolean {
  if (value.type !== bsonType.bool && !isNumberType(value.type))
    throw new EngineError(9, "FailedToParse", `${name} must be numeric or a boolean value`);
  return isTruthy(value);
}

function requireNumber(name: string, value: Value): void {
  if (!isNumberType(value.type)) throw new EngineError(9, "FailedToParse", `${name} must be a number`);
}
