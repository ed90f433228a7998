import { EngineError, type Namespace, splitNamespace } from "../engine/index.ts";

/** A namespace of a text that must name a collection. Throws 73 InvalidNamespace with `refusal` before the text. */
export function namespaceNamed(text: string, refusal: string): Namespace {
  const namespace = splitNamespace(text);
  if (namespace.database === "" || namespace.collection === "")
    throw new EngineError(73, "InvalidNamespace", `${refusal}: ${text}`);
  return namespace;
}
