import { arrayValue, buildDocument, emptyDocument, objectValue } from "../bson/builder.ts";
import { bsonType } from "../bson/types.ts";
import { documentValue, nullValue, stringValue, textOf, type Value } from "../bson/value.ts";
import { elementsOf, type Field, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import type { Namespace } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import { applyDifference } from "../oplog/apply-difference.ts";
import { splitNamespace } from "../catalog/names.ts";
import type { ChangeStreamOptions } from "./options.ts";
import { type StreamPosition, tokenOf } from "./resume-token.ts";
import { isEndOf, type StreamScope, watches } from "./scope.ts";
import { updateDescription } from "./update-description.ts";

/** An event on its way to whoever watches. */
export interface StreamEvent {
  readonly position: StreamPosition;
  readonly document: Uint8Array;
}

/** What events are made by. */
export interface EventMaker {
  readonly scope: StreamScope;
  readonly options: ChangeStreamOptions;
  /** A document as it is now, by `{_id}`; undefined when it, or the collection of that UUID, is gone. */
  readonly lookUp: (namespace: Namespace, uuid: Value, key: Uint8Array) => Uint8Array | undefined;
  /** The document before an operation of an entry; undefined when it was not kept. */
  readonly preImage: (rowId: number, index: number) => Uint8Array | undefined;
}

type Fields = ReadonlyMap<string, Value>;

/** Events of one entry of the operation log, those of a transaction one for each of its operations, and `invalidate` behind the one that ends the stream. */
export function* eventsOf(maker: EventMaker, rowId: number, entry: Uint8Array): Generator<StreamEvent> {
  const fields = fieldMap(fieldsOf(entry));
  const operations = operationsIn(fields);
  for (const [index, operation] of operations.entries()) {
    const told = tell(maker, operation, () => maker.preImage(rowId, index));
    if (told === undefined) continue;
    const session = operation === fields ? [] : pick(fields, "lsid", "txnNumber");
    const common = [
      ["clusterTime", fields.get("ts") as Value],
      ...(maker.options.showExpandedEvents
        ? pick(operation, "ui").map(([, ui]) => ["collectionUUID", ui] as const)
        : []),
      ["wallTime", fields.get("wall") as Value],
    ] as const;
    const position: StreamPosition = { rowId, index, kind: "event" };
    const { operationType } = told;
    yield { position, document: eventOf(position, operationType, [...common, ...told.fields, ...session]) };
    if (!isEndOf(maker.scope, operationType)) continue;
    const end: StreamPosition = { rowId, index, kind: "invalidate" };
    yield {
      position: end,
      document: eventOf(end, "invalidate", [common[0], ["wallTime", fields.get("wall") as Value]]),
    };
    return;
  }
}

function eventOf(
  position: StreamPosition,
  operationType: string,
  fields: readonly (readonly [string, Value])[],
): Uint8Array {
  return buildDocument([["_id", tokenOf(position)], ["operationType", stringValue(operationType)], ...fields]);
}

/** The entry itself, or the operations of a transaction. */
function operationsIn(entry: Fields): readonly Fields[] {
  if (textIn(entry, "op") !== "c") return [entry];
  const [command] = fieldsOfValue(entry.get("o") as Value);
  if (command?.name !== "applyOps") return [entry];
  return elementsOf(command.value).map((operation) => fieldMap(fieldsOfValue(operation)));
}

type PreImage = () => Uint8Array | undefined;

interface Told {
  readonly operationType: string;
  readonly fields: readonly (readonly [string, Value])[];
}

function tell(maker: EventMaker, operation: Fields, preImage: PreImage): Told | undefined {
  const op = textIn(operation, "op");
  if (op === "n") return undefined;
  const namespace = splitNamespace(textIn(operation, "ns"));
  if (op === "c") return tellCommand(maker, namespace.database, operation);
  if (!watches(maker.scope, namespace)) return undefined;
  const { options } = maker;
  const o = operation.get("o") as Value;
  const ns = ["ns", namespaceValue(namespace)] as const;
  if (op === "i") return { operationType: "insert", fields: [["fullDocument", o], ns, keyField(operation, "o2")] };
  if (op === "d") {
    const fields = [ns, keyField(operation, "o"), ...imageBefore(options, preImage)];
    return { operationType: "delete", fields };
  }
  const key = keyField(operation, "o2");
  const content = fieldMap(fieldsOfValue(o));
  const difference = content.get("diff");
  if (!content.has("$v") || difference === undefined)
    return { operationType: "replace", fields: [["fullDocument", o], ns, key, ...imageBefore(options, preImage)] };
  const description = updateDescription(difference.bytes(), options.showExpandedEvents);
  const before = imageBefore(options, preImage);
  const shown = imageAfter(maker, namespace, operation, () => imageOf(preImage(), difference.bytes()));
  return {
    operationType: "update",
    fields: [...shown, ns, key, ["updateDescription", description], ...before],
  };
}

function imageAfter(
  { options, lookUp }: EventMaker,
  namespace: Namespace,
  operation: Fields,
  postImage: () => Uint8Array | undefined,
): readonly (readonly [string, Value])[] {
  if (options.fullDocument === "default") return [];
  const image =
    options.fullDocument === "updateLookup"
      ? lookUp(namespace, operation.get("ui") as Value, (operation.get("o2") as Value).bytes())
      : postImage();
  if (image === undefined && options.fullDocument === "required") throw noImage("post");
  return [["fullDocument", image === undefined ? nullValue : documentValue(image)]];
}

/** The document after an update: the one before it, with the difference that the log has. */
function imageOf(before: Uint8Array | undefined, difference: Uint8Array): Uint8Array | undefined {
  return before === undefined ? undefined : applyDifference(before, difference);
}

function imageBefore(
  { fullDocumentBeforeChange }: ChangeStreamOptions,
  preImage: PreImage,
): readonly (readonly [string, Value])[] {
  if (fullDocumentBeforeChange === "off") return [];
  const image = preImage();
  if (image === undefined && fullDocumentBeforeChange === "required") throw noImage("pre");
  return [["fullDocumentBeforeChange", image === undefined ? nullValue : documentValue(image)]];
}

function noImage(which: "pre" | "post"): EngineError {
  const events = which === "pre" ? "update, delete and replace" : "update";
  return new EngineError(
    47,
    "NoMatchingDocument",
    `Change stream was configured to require a ${which}-image for all ${events} events, but the ${which}-image was not found for event`,
  );
}

/** Commands that are told of only when more is asked for: the event, and how its description is made of the command's fields and `o2`. */
const expanded: ReadonlyMap<string, (fields: readonly Field[], o2: Value | undefined) => Told> = new Map(
  Object.entries({
    create: (fields: readonly Field[]): Told => ({
      operationType: "create",
      fields: [
        described(rest(fields)),
        ["nsType", stringValue(fields.some(({ name }) => name === "viewOn") ? "view" : "collection")],
      ],
    }),
    createIndexes: (fields: readonly Field[]): Told => ({
      operationType: "createIndexes",
      fields: [described([["indexes", arrayValue([objectValue(rest(fields))])]])],
    }),
    dropIndexes: (_fields: readonly Field[], o2: Value | undefined): Told => ({
      operationType: "dropIndexes",
      fields: [described([["indexes", arrayValue([o2 ?? documentValue(emptyDocument)])]])],
    }),
    collMod: (fields: readonly Field[], o2: Value | undefined): Told => {
      const before = o2 === undefined ? [] : Array.from(fieldsOfValue(o2), stateBefore);
      return {
        operationType: "modify",
        fields: [
          described(rest(fields)),
          ...(before.length === 0 ? [] : [["stateBeforeChange", objectValue(before)] as const]),
        ],
      };
    },
  }),
);

function stateBefore({ name, value }: Field): readonly [string, Value] {
  return [name.replace(/_old$/, ""), value];
}

function tellCommand({ scope, options }: EventMaker, database: string, operation: Fields): Told | undefined {
  const fields = [...fieldsOfValue(operation.get("o") as Value)];
  const [command] = fields;
  if (command === undefined) return undefined;
  if (command.name === "dropDatabase") {
    const namespace = { database, collection: "" };
    if (scope.kind === "collection" ? scope.database !== database : !watches(scope, namespace)) return undefined;
    return { operationType: "dropDatabase", fields: [["ns", namespaceValue(namespace)]] };
  }
  if (command.value.type !== bsonType.string) return undefined;
  if (command.name === "renameCollection") return tellRename(scope, options, fields);
  const namespace = { database, collection: textOf(command.value) };
  if (!watches(scope, namespace)) return undefined;
  const ns = ["ns", namespaceValue(namespace)] as const;
  // A view has no UUID, and no documents of its own to watch.
  if (!operation.has("ui") && !options.showExpandedEvents) return undefined;
  if (command.name === "drop") return { operationType: "drop", fields: [ns] };
  const more = options.showExpandedEvents ? expanded.get(command.name)?.(fields, operation.get("o2")) : undefined;
  if (more === undefined) return undefined;
  return { ...more, fields: [ns, ...more.fields] };
}

/** A collection that comes to a name that is watched is told of as one that leaves it. */
function tellRename(scope: StreamScope, options: ChangeStreamOptions, fields: readonly Field[]): Told | undefined {
  const [from, target] = fields;
  if (from === undefined || target === undefined) return undefined;
  const [namespace, to] = [splitNamespace(textOf(from.value)), splitNamespace(textOf(target.value))];
  if (!watches(scope, namespace) && !watches(scope, to)) return undefined;
  const toField = ["to", namespaceValue(to)] as const;
  const more = rest(fields).filter(([name, value]) => name === "dropTarget" && value.type === bsonType.binData);
  return {
    operationType: "rename",
    fields: [
      ["ns", namespaceValue(namespace)],
      toField,
      ...(options.showExpandedEvents ? [described([toField, ...more])] : []),
    ],
  };
}

function described(fields: readonly (readonly [string, Value])[]): readonly [string, Value] {
  return ["operationDescription", objectValue(fields)];
}

/** All but the command's own field. */
function rest(fields: readonly Field[]): (readonly [string, Value])[] {
  return fields.slice(1).map(({ name, value }) => [name, value] as const);
}

function keyField(operation: Fields, where: "o" | "o2"): readonly ["documentKey", Value] {
  return ["documentKey", operation.get(where) as Value];
}

function namespaceValue({ database, collection }: Namespace): Value {
  const db = ["db", stringValue(database)] as const;
  return objectValue(collection === "" ? [db] : [db, ["coll", stringValue(collection)]]);
}

function pick(fields: Fields, ...names: readonly string[]): (readonly [string, Value])[] {
  return names.flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
}

function fieldMap(fields: Iterable<Field>): Fields {
  return new Map(Array.from(fields, ({ name, value }) => [name, value] as const));
}

function textIn(fields: Fields, name: string): string {
  return textOf(fields.get(name) as Value);
}
