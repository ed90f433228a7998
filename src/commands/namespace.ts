import { EngineError, type Namespace } from "../engine/index.ts";

/** `database.collection` at its first dot; without one all of it is the database. */
export function splitNamespace(text: string): Namespace {
  const dot = text.indexOf(".");
  return dot < 0
    ? { database: text, collection: "" }
    : { database: text.slice(0, dot), collection: text.slice(dot + 1) };
}

/** The same of a text that must name a collection. Throws 73 InvalidNamespace with `refusal` before the text. */
export function namespaceNamed(text: string, refusal: string): Namespace {
  const namespace = splitNamespace(text);
  if (namespace.database === "" || namespace.collection === "")
    throw new EngineError(73, "InvalidNamespace", `${refusal}: ${text}`);
  return namespace;
}
