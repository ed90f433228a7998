import { arrayValue } from "../../bson/builder.ts";
import { Value } from "../../bson/value.ts";
import type { Expression, ExpressionContext } from "../context.ts";

/** Takes values one after the other and gives one of them all. */
export interface ValueAccumulator {
  /** Answers how many more bytes are held now, for the limit of a group. */
  add(value: Value | undefined): number;
  result(): Value | undefined;
  /** What came in so far, in one or more parts, for `merge` of another of the same kind. */
  save(): Iterable<Value>;
  /** Adds a part of what another had taken before it was saved, as if it came in now. Answers how many more bytes are held. */
  merge(saved: Value): number;
}

/** As `ValueAccumulator`, over documents. */
export interface Accumulator {
  add(root: Value): number;
  result(): Value | undefined;
  save(): Iterable<Value>;
  merge(saved: Value): number;
}

/** What an accumulator is compiled in. */
export interface AccumulatorPlace {
  readonly name: string;
  readonly context: ExpressionContext;
  readonly compile: (value: Value) => Expression;
}

/** Compiles `{$accumulator: argument}`; the function given back makes one for a group, whose `_id` the argument's `n` may ask for. */
export type AccumulatorOperator = (argument: Value, place: AccumulatorPlace) => (group: Value) => Accumulator;

/** An accumulator over what an expression gives. */
export function over(create: (place: AccumulatorPlace) => ValueAccumulator): AccumulatorOperator {
  return (argument, place) => {
    const expression = place.compile(argument);
    return () => {
      const inner = create(place);
      return overRoots(inner, expression);
    };
  };
}

/** The accumulator over what an expression makes of documents. */
export function overRoots(inner: ValueAccumulator, expression: Expression): Accumulator {
  return {
    add: (root) => inner.add(expression(root)),
    result: () => inner.result(),
    save: () => inner.save(),
    merge: (saved) => inner.merge(saved),
  };
}

/** Bytes of values that are saved in one part. */
const partBytes = 256 * 1024;

/** Lists of values of which none is long. */
export function* inParts(values: Iterable<Value>): Generator<Value> {
  let part: Value[] = [];
  let bytes = 0;
  for (const value of values) {
    part.push(value);
    bytes += sizeOf(value);
    if (bytes < partBytes) continue;
    yield arrayValue(part);
    [part, bytes] = [[], 0];
  }
  yield arrayValue(part);
}

/** Bytes that a kept value is counted with. */
export function sizeOf(value: Value): number {
  return value.end - value.start + 32;
}

/** A copy of its own: a value within a document keeps the whole document in memory. */
export function detached(value: Value): Value {
  return value.start === 0 && value.end === value.source.length ? value : new Value(value.type, value.bytes().slice());
}
