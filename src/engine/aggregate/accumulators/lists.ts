import { located } from "../../engine-error.ts";
import { arrayOf } from "../../bson/arrays.ts";
import { emptyDocument } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { typeOf } from "../operators/operator.ts";
import { mergeDocuments } from "../merge-documents.ts";
import { type AccumulatorOperator, detached, inParts, over, sizeOf, type ValueAccumulator } from "./accumulator.ts";

class Push implements ValueAccumulator {
  readonly #values: Value[] = [];

  add(value: Value | undefined): number {
    if (value === undefined) return 0;
    this.#values.push(detached(value));
    return sizeOf(value);
  }

  result(): Value {
    return arrayOf(this.#values);
  }

  save(): Iterable<Value> {
    return inParts(this.#values);
  }

  merge(saved: Value): number {
    return addAll(this, saved);
  }
}

class AddToSet implements ValueAccumulator {
  readonly #keyText: (value: Value) => string;
  readonly #values = new Map<string, Value>();

  constructor(keyText: (value: Value) => string) {
    this.#keyText = keyText;
  }

  add(value: Value | undefined): number {
    if (value === undefined) return 0;
    const key = this.#keyText(value);
    if (this.#values.has(key)) return 0;
    this.#values.set(key, detached(value));
    return sizeOf(value) + key.length;
  }

  result(): Value {
    return arrayOf([...this.#values.values()]);
  }

  save(): Iterable<Value> {
    return inParts(this.#values.values());
  }

  merge(saved: Value): number {
    return addAll(this, saved);
  }
}

class MergeObjects implements ValueAccumulator {
  #merged: Uint8Array = emptyDocument;

  add(value: Value | undefined): number {
    if (value === undefined || value.type === bsonType.null || value.type === bsonType.undefined) return 0;
    if (value.type !== bsonType.object)
      throw located(40400, `$mergeObjects requires object inputs, but input is of type ${typeOf(value)}`);
    const before = this.#merged.length;
    this.#merged = mergeDocuments([this.#merged, value.bytes()]);
    return this.#merged.length - before;
  }

  result(): Value {
    return documentValue(this.#merged);
  }

  save(): Iterable<Value> {
    return [this.result()];
  }

  merge(saved: Value): number {
    return this.add(saved);
  }
}

/** Adds each element of a list; answers the bytes that are held more. */
export function addAll(accumulator: { add(value: Value): number }, list: Value): number {
  return elementsOf(list).reduce((bytes, one) => bytes + accumulator.add(one), 0);
}

export const $push: AccumulatorOperator = over(() => new Push());
export const $addToSet: AccumulatorOperator = over(({ context }) => new AddToSet(context.keyText));
export const $mergeObjects: AccumulatorOperator = over(() => new MergeObjects());
