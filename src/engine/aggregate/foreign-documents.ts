import { arrayValue, buildDocument, emptyDocument, objectValue } from "../bson/builder.ts";
import { parsePath, type Path, visitPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import { documentValue, nullValue, type Value } from "../bson/value.ts";
import { elementsOf } from "../bson/walk.ts";
import type { Namespace } from "../engine.ts";
import { blockingStepMaxBytes, type Flow } from "../query/flow.ts";
import type { ExpressionContext } from "./context.ts";
import { sourceOf, type StagePlace } from "./stage.ts";

/** Values after which is asked whether it is time to give way. */
const stretchLength = 1024;

/**
 * Documents of another collection by the values of a field, for `$lookup` and `$graphLookup`: through an index that begins with the field, or by a table of all
 * documents by their values while memory holds it, or by looking through all of them each time.
 */
export class ForeignDocuments {
  readonly #path: Path;
  readonly #context: ExpressionContext;
  readonly #readAll: () => Flow;
  readonly #readByIndex: ((values: readonly Value[]) => Flow) | undefined;
  #table: ReadonlyMap<string, readonly number[]> | undefined;
  #documents: readonly Uint8Array[] = [];
  #tooLarge = false;

  /** `restriction` is a filter that all documents must fit besides. Without a namespace `first` is the stage that gives the documents. */
  constructor(
    place: StagePlace,
    namespace: Namespace | undefined,
    field: string,
    { restriction = emptyDocument, first }: { readonly restriction?: Uint8Array; readonly first?: Uint8Array } = {},
  ) {
    const source = sourceOf(place);
    this.#path = parsePath(field);
    this.#context = place.expressions;
    const pipeline = [
      ...(first === undefined ? [] : [first]),
      ...(restriction.length > 5 ? [matchStage(restriction)] : []),
    ];
    this.#readAll = place.compileRead(namespace, pipeline, { ...place, hint: undefined });
    const { record, pipeline: view } =
      namespace === undefined ? { record: undefined, pipeline: [] } : source.resolve(namespace);
    const isIndexed =
      record !== undefined &&
      view.length === 0 &&
      place.expressions.collation === undefined &&
      (field === "_id" ||
        record.indexes.some(
          (index) => index.fields[0]?.path.text === field && !index.sparse && index.collation === undefined,
        ));
    this.#readByIndex = isIndexed
      ? (values) => {
          const stages = [matchStage(filterOf(field, values)), ...pipeline];
          return place.compileRead(namespace, stages, { ...place, hint: undefined })();
        }
      : undefined;
  }

  /** Documents whose field equals one of the values; `undefined` in between is a pause. */
  *matching(values: readonly Value[]): Flow {
    if (this.#readByIndex !== undefined) return yield* this.#readByIndex(values);
    if (this.#table === undefined && !this.#tooLarge) yield* this.#fill();
    if (this.#table === undefined) return yield* this.#scan(values);
    const found = new Set<number>();
    for (const [position, value] of values.entries()) {
      if (position % stretchLength === stretchLength - 1) yield undefined;
      for (const index of this.#table.get(this.#keyOf(value)) ?? []) found.add(index);
    }
    for (const index of [...found].toSorted((one, other) => one - other)) yield this.#documents[index];
  }

  *#fill(): Flow {
    const documents: Uint8Array[] = [];
    const table = new Map<string, number[]>();
    let bytes = 0;
    for (const document of this.#readAll()) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      for (const key of this.#keysOf(document)) {
        const places = table.get(key);
        if (places === undefined) table.set(key, [documents.length]);
        else places.push(documents.length);
        bytes += key.length + 24;
      }
      documents.push(document);
      bytes += document.length + 64;
      if (bytes > blockingStepMaxBytes) {
        this.#tooLarge = true;
        return;
      }
    }
    this.#documents = documents;
    this.#table = table;
  }

  *#scan(values: readonly Value[]): Flow {
    const wanted = new Set(values.map((value) => this.#keyOf(value)));
    for (const document of this.#readAll()) {
      if (document === undefined) yield undefined;
      else if ([...this.#keysOf(document)].some((key) => wanted.has(key))) yield document;
    }
  }

  /** Null, undefined and missing are one. */
  #keyOf(value: Value): string {
    return this.#context.keyText(value.type === bsonType.undefined ? nullValue : value);
  }

  /** Keys of all values that a query for equality would find the document by. */
  #keysOf(document: Uint8Array): ReadonlySet<string> {
    const keys = new Set<string>();
    visitPath(document, 0, this.#path, (value, _position, picked) => {
      keys.add(this.#keyOf(value ?? nullValue));
      if (value?.type === bsonType.array && !picked)
        for (const element of elementsOf(value)) keys.add(this.#keyOf(element));
      return false;
    });
    return keys;
  }
}

function matchStage(filter: Uint8Array): Uint8Array {
  return buildDocument([["$match", documentValue(filter)]]);
}

/** Equality with any of the values; a pattern among them is a value like any other and does not search. */
function filterOf(field: string, values: readonly Value[]): Uint8Array {
  const equal = (value: Value): Uint8Array => buildDocument([[field, objectValue([["$eq", value]])]]);
  const [first] = values;
  if (first !== undefined && values.length === 1) return equal(first);
  if (values.some(({ type }) => type === bsonType.regex))
    return buildDocument([["$or", arrayValue(values.map((value) => documentValue(equal(value))))]]);
  return buildDocument([[field, objectValue([["$in", arrayValue(values)]])]]);
}

/** Values at a path as joins see them: elements of arrays each for itself, null for nothing. */
export function joinValues(document: Uint8Array, path: Path): Value[] {
  const values: Value[] = [];
  visitPath(document, 0, path, (value, _position, picked) => {
    if (value === undefined) return false;
    if (value.type !== bsonType.array || picked) values.push(value);
    else for (const element of elementsOf(value)) values.push(element);
    return false;
  });
  return values.length === 0 ? [nullValue] : values;
}
