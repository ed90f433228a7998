import { createHash } from "node:crypto";
import {
  bsonType,
  EngineError,
  getField,
  int64Of,
  textOf,
  typeName,
  type Value,
  type WriteOptions,
} from "../engine/index.ts";
import type { CommandDefinition, ConnectedUser } from "./define-command.ts";

/**
 * A session of a user as bytes: its UUID and who it belongs to, so that nobody reaches another's by its id. Throws 14 TypeMismatch or 9 FailedToParse for
 * what is no `{id: UUID}`, and 13 Unauthorized for one that says it is another user's.
 */
export function sessionKeyOf(lsid: Value, user: ConnectedUser | undefined): Uint8Array {
  if (lsid.type !== bsonType.object)
    throw new EngineError(
      14,
      "TypeMismatch",
      `BSON field 'lsid' is the wrong type '${typeName(lsid.type)}', expected type 'object'`,
    );
  const document = lsid.bytes();
  const id = getField(document, "id");
  const bytes = id?.type === bsonType.binData ? id.bytes() : undefined;
  // Length, subtype 4, 16 bytes.
  if (bytes === undefined || bytes.length !== 21 || bytes[4] !== 4)
    throw new EngineError(9, "FailedToParse", "a session id must be a UUID: binary data of subtype 4 with 16 bytes");
  const owner = user?.sessionOwner ?? new Uint8Array(0);
  const uid = getField(document, "uid");
  if (uid !== undefined && (uid.type !== bsonType.binData || Buffer.compare(uid.bytes().subarray(5), owner) !== 0))
    throw new EngineError(13, "Unauthorized", "Unauthorized to set user digest in LogicalSessionId");
  return Buffer.concat([bytes.subarray(5), owner]);
}

/** Whose a session is, as MongoDB tells users apart: the digest of name and database. */
export function sessionOwnerOf(userName: string, database: string): Uint8Array {
  return createHash("sha256").update(`${userName}@${database}`).digest();
}

/** The session of a command; undefined without one. Throws as `sessionKeyOf`. */
export function sessionIdOf(body: Uint8Array, user: ConnectedUser | undefined): Uint8Array | undefined {
  const lsid = getField(body, "lsid");
  return lsid === undefined || lsid.type === bsonType.null ? undefined : sessionKeyOf(lsid, user);
}

/** The pair that makes a write retryable, of `lsid` and `txnNumber`. Throws 14, 72, and 50768 for commands that are not retryable. */
export function retryOf(
  definition: CommandDefinition,
  body: Uint8Array,
  sessionId: Uint8Array | undefined,
): WriteOptions["retry"] {
  const number = getField(body, "txnNumber");
  if (number === undefined) return undefined;
  if (number.type !== bsonType.long)
    throw new EngineError(
      14,
      "TypeMismatch",
      `BSON field 'txnNumber' is the wrong type '${typeName(number.type)}', expected type 'long'`,
    );
  if (sessionId === undefined)
    throw new EngineError(72, "InvalidOptions", "Transaction number requires a session ID to also be specified");
  const transactionNumber = int64Of(number);
  if (transactionNumber < 0n) throw new EngineError(72, "InvalidOptions", "Transaction number cannot be negative");
  if (definition.retryable !== true)
    throw new EngineError(
      50_768,
      "NotARetryableWriteCommand",
      `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${definition.name} is not a retryable write command.`,
    );
  return { sessionId, transactionNumber };
}

/** The same text for a retryable write and its retries; undefined for what is none. */
export function retryKeyOf(body: Uint8Array): string | undefined {
  const number = getField(body, "txnNumber");
  const session = getField(body, "lsid");
  if (number === undefined || session === undefined) return undefined;
  return Buffer.concat([session.bytes(), number.bytes()]).toString("hex");
}

/** Database of a command. */
export function databaseOf(body: Uint8Array, legacy: string | undefined): string {
  if (legacy !== undefined) return legacy;
  const value = getField(body, "$db");
  if (value?.type !== bsonType.string)
    throw new EngineError(40_571, "Location40571", "OP_MSG requests require a $db argument");
  const name = textOf(value);
  if (name === "" || Buffer.byteLength(name) > 63 || /[/\\. "$\0]/.test(name))
    throw new EngineError(73, "InvalidNamespace", `Invalid database name: '${name}'`);
  return name;
}
