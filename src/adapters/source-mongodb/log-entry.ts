import type { LogPosition } from "../../ports/snapshot-repository.ts";
import { elementsOf, viewOf } from "../../shared/bson-element.ts";

/** Takes the document that an entry changes: the UUID of its collection and the element of its `_id`. */
export type OnChange = (uuid: Uint8Array, id: Uint8Array) => void;

/** What an entry means for documents is not known. The message says what it is. */
export class UnknownEntry extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnknownEntry";
  }
}

/** Commands that change no document of a collection that is there, under the same UUID, before and after. */
const harmlessCommands: ReadonlySet<string> = new Set([
  "create",
  "drop",
  "dropDatabase",
  "renameCollection",
  "collMod",
  "createIndexes",
  "startIndexBuild",
  "commitIndexBuild",
  "abortIndexBuild",
  "dropIndexes",
  "deleteIndexes",
  "abortTransaction",
  "dbCheck",
]);

/** `applyOps` within `applyOps`, at most: none has been seen that went deeper than one. */
const depthMax = 8;

interface Field {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Time of an entry; undefined when it has none. */
export function timeOf(entry: Uint8Array): Pick<LogPosition, "seconds" | "increment"> | undefined {
  return timestampOf(fieldsOf(entry).get("ts"));
}

/**
 * Tells of every document that an entry of `local.oplog.rs` changes (the format is that of MongoDB since 3.6 and of the embedded engine): rather one too many. `since` is where
 * reading began. Throws `UnknownEntry` for whatever may have changed documents that it does not name.
 */
export function readLogEntry(entry: Uint8Array, since: LogPosition, onChange: OnChange): void {
  const fields = fieldsOf(entry);
  const op = textOf(fields.get("op"));
  if (op === "c") {
    const previous = fields.get("prevOpTime");
    readCommand(
      documentOf(fields.get("o")),
      onChange,
      () => {
        // A transaction in several entries, or prepared first: what came before the one that makes it true must have been read too.
        const time = previous === undefined ? undefined : timestampOf(fieldsOf(documentOf(previous)).get("ts"));
        if (time !== undefined && (time.seconds > 0 || time.increment > 0) && !isBehind(time, since))
          throw new UnknownEntry("the end of a transaction that began before");
      },
      0,
    );
  } else readOperation(op, fields, onChange);
}

function readOperation(op: string, fields: ReadonlyMap<string, Field>, onChange: OnChange): void {
  if (op === "n") return;
  if (op !== "i" && op !== "u" && op !== "d") throw new UnknownEntry(`an operation ${op}`);
  const uuid = fields.get("ui");
  if (uuid?.type !== 0x05 || uuid.bytes.length !== 21)
    throw new UnknownEntry(`an operation ${op} without a collection`);
  onChange(uuid.bytes.subarray(5), idIn(documentOf(fields.get(op === "u" ? "o2" : "o"))));
}

function readCommand(command: Buffer, onChange: OnChange, requireBeginning: () => void, depth: number): void {
  const [first] = elementsOf(command);
  const name = first?.name ?? "";
  if (name === "applyOps" && first?.type === 0x04 && depth < depthMax) {
    requireBeginning();
    for (const { type, valueStart, end } of elementsOf(command.subarray(first.valueStart, first.end))) {
      if (type !== 0x03) throw new UnknownEntry("applyOps with what is no operation");
      const inner = fieldsOf(command.subarray(first.valueStart + valueStart, first.valueStart + end));
      const op = textOf(inner.get("op"));
      if (op === "c") readCommand(documentOf(inner.get("o")), onChange, () => undefined, depth + 1);
      else readOperation(op, inner, onChange);
    }
  } else if (name === "commitTransaction") requireBeginning();
  else if (!harmlessCommands.has(name)) throw new UnknownEntry(`a command ${name}`);
}

function isBehind(time: Pick<LogPosition, "seconds" | "increment">, since: LogPosition): boolean {
  return time.seconds > since.seconds || (time.seconds === since.seconds && time.increment > since.increment);
}

function fieldsOf(document: Uint8Array): Map<string, Field> {
  const view = viewOf(document);
  return new Map(
    Array.from(elementsOf(view), ({ type, name, valueStart, end }) => [
      name,
      { type, bytes: view.subarray(valueStart, end) },
    ]),
  );
}

function idIn(document: Buffer): Buffer {
  for (const { name, start, end } of elementsOf(document)) if (name === "_id") return document.subarray(start, end);
  throw new UnknownEntry("an operation without an _id");
}

function documentOf(field: Field | undefined): Buffer {
  if (field?.type !== 0x03) throw new UnknownEntry("an entry without what it did");
  return field.bytes;
}

function textOf(field: Field | undefined): string {
  return field?.type === 0x02 ? field.bytes.toString("utf8", 4, field.bytes.length - 1) : "";
}

function timestampOf(field: Field | undefined): Pick<LogPosition, "seconds" | "increment"> | undefined {
  return field?.type === 0x11
    ? { seconds: field.bytes.readUInt32LE(4), increment: field.bytes.readUInt32LE(0) }
    : undefined;
}
