import {
  applyDifference,
  bsonType,
  buildDocument,
  documentValue,
  type Engine,
  EngineError,
  fieldsOf,
  getField,
  type Namespace,
  type Value,
  type WriteOptions,
} from "../../engine/index.ts";
import type { LoggedWrite } from "../../ports/deployment-host.ts";

/** PathNotViable: the document is a later one, where the path leads through something else. */
const pathNotViable = 28;
const noLimit = Number.POSITIVE_INFINITY;

/** Does one write of an operation log again, to a document that may be a later one; nobody else writes meanwhile. Whole documents are put as the bytes they are. */
export async function applyLoggedWrite(engine: Engine, logged: LoggedWrite, write: WriteOptions): Promise<void> {
  const { database, name, kind, id, o } = logged;
  const namespace = { database, collection: name };
  const filter = filterOf(id);
  if (kind === "change" && o !== undefined) return change(engine, namespace, filter, o, write);
  await engine.delete(namespace, [{ filter, justOne: true }], true, write);
  if (kind === "put" && o !== undefined) await engine.load(namespace, o);
}

async function change(
  engine: Engine,
  namespace: Namespace,
  filter: Uint8Array,
  o: Uint8Array,
  write: WriteOptions,
): Promise<void> {
  const difference = getField(o, "diff");
  if (difference === undefined) return changeByModifiers(engine, namespace, filter, o, write);
  const cursor = await engine.find(namespace, { filter, limit: 1 }, { signal: write.signal });
  const [before] = await cursor.next({ maxDocuments: 1, maxBytes: noLimit }, write.signal);
  cursor.close();
  // It was deleted later, and that is done again as well.
  if (before === undefined) return;
  const after = applyDifference(before, difference.bytes(), true);
  await engine.delete(namespace, [{ filter, justOne: true }], true, write);
  await engine.load(namespace, after);
}

/** `{$v: 1, $set: {...}, $unset: {...}}` of servers before 5.0. Path by path: one that does not fit a later document is passed over, the others are not. */
async function changeByModifiers(
  engine: Engine,
  namespace: Namespace,
  filter: Uint8Array,
  o: Uint8Array,
  write: WriteOptions,
): Promise<void> {
  for (const { name: modifier, value } of fieldsOf(o)) {
    if (modifier === "$v") continue;
    if (modifier !== "$set" && modifier !== "$unset")
      throw new EngineError(9, "FailedToParse", `an update entry cannot have the modifier ${modifier}`);
    for (const { name: path, value: operand } of fieldsOf(value.bytes())) {
      const update = buildDocument([[modifier, only(path, operand)]]);
      const statement = { filter, update, multi: false, upsert: false, arrayFilters: [] };
      const { writeErrors } = await engine.update(namespace, [statement], true, write);
      const error = writeErrors.find(({ code }) => code !== pathNotViable);
      if (error !== undefined) throw new EngineError(error.code, `Location${error.code}`, error.message);
    }
  }
}

/** `{_id: {$eq: ...}}`: an `_id` may look like operators or a pattern. */
function filterOf(id: Uint8Array): Uint8Array {
  const value = getField(id, "_id");
  if (value === undefined || value.type === bsonType.array)
    throw new EngineError(4, "NoSuchKey", "an entry of an operation log names no _id");
  return buildDocument([["_id", only("$eq", value)]]);
}

function only(name: string, value: Value): Value {
  return documentValue(buildDocument([[name, value]]));
}
