import { EngineError } from "../engine-error.ts";
import type { Namespace } from "../engine.ts";

/** Longest `database.collection` in bytes (manual, "MongoDB Limits"). */
const namespaceBytesMax = 255;

/** Throws 73 InvalidNamespace for what MongoDB would not take as a database name. */
export function checkDatabaseName(name: string): void {
  if (name === "" || Buffer.byteLength(name) > 63 || /[/\\. "$\0]/.test(name))
    throw invalid(`Invalid database name: '${name}'`);
}

/** Throws 73 InvalidNamespace for what MongoDB would not take as a namespace. */
export function checkNamespace({ database, collection }: Namespace): void {
  checkDatabaseName(database);
  if (
    collection === "" ||
    collection.includes("\0") ||
    collection.startsWith(".") ||
    collection.endsWith(".") ||
    collection.includes("$")
  ) {
    throw invalid(`Invalid collection name: ${database}.${collection}`);
  }
  if (Buffer.byteLength(`${database}.${collection}`) > namespaceBytesMax) {
    throw invalid(
      `Fully qualified namespace is too long. Namespace: ${database}.${collection} Max: ${namespaceBytesMax}`,
    );
  }
}

export function namespaceNotFound({ database, collection }: Namespace): EngineError {
  return new EngineError(26, "NamespaceNotFound", `ns does not exist: ${database}.${collection}`);
}

function invalid(message: string): EngineError {
  return new EngineError(73, "InvalidNamespace", message);
}

/** `database.collection` at its first dot; without one all of it is the database. */
export function splitNamespace(text: string): Namespace {
  const dot = text.indexOf(".");
  return dot < 0
    ? { database: text, collection: "" }
    : { database: text.slice(0, dot), collection: text.slice(dot + 1) };
}
