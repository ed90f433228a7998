import { located } from "../../engine-error.ts";
import { arrayOf, sortedList } from "../../bson/arrays.ts";
import { arrayValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { nullValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import { createSortOrder, parseSort, type SortKey, type SortOrder } from "../../query/sort.ts";
import type { Expression } from "../context.ts";
import { typeOf } from "../operators/operator.ts";
import { type AccumulatorOperator, type AccumulatorPlace, detached, inParts, sizeOf } from "./accumulator.ts";
import { checkedCount } from "./counted.ts";

interface Ranked {
  readonly key: SortKey;
  readonly place: number;
  readonly output: Value;
}

interface TopArguments {
  readonly order: SortOrder;
  readonly output: Expression;
  readonly countOf: (group: Value) => number;
}

function parse(argument: Value, { name, compile, context }: AccumulatorPlace, isCounted: boolean): TopArguments {
  if (argument.type !== bsonType.object)
    throw located(5_788_001, `specification must be an object; found ${name}: ${typeOf(argument)}`);
  let order: SortOrder | undefined;
  let output: Expression | undefined;
  let count: Expression | undefined;
  for (const field of fieldsOfValue(argument)) {
    if (field.name === "output") output = compile(field.value);
    else if (field.name === "n" && isCounted) count = compile(field.value);
    else if (field.name === "sortBy") {
      if (field.value.type !== bsonType.object)
        throw located(5_788_604, `expected 'sortBy' to already be an object in the arguments to ${name}`);
      order = createSortOrder(parseSort(field.value.bytes()), context.collation);
    } else throw located(5_788_002, `Unknown argument to ${name} '${field.name}'`);
  }
  if (isCounted && count === undefined) throw located(5_788_003, `Missing value for 'n'`);
  if (output === undefined) throw located(5_788_004, `Missing value for 'output'`);
  if (order === undefined) throw located(5_788_005, `Missing value for 'sortBy'`);
  return { order, output, countOf: (group) => (count === undefined ? 1 : checkedCount(count(group))) };
}

/** The outputs of the documents that come first (`sign` 1) or last (-1) in an order. */
function ranking(sign: 1 | -1, isCounted: boolean): AccumulatorOperator {
  return (argument, place) => {
    const { order, output, countOf } = parse(argument, place, isCounted);
    // Of equal keys those count that came first, for the bottom too.
    const ranked = (one: Ranked, other: Ranked): number =>
      sign * order.compare(one.key, other.key) || one.place - other.place;
    return (group) => {
      const count = countOf(group);
      let kept: Ranked[] = [];
      let places = 0;
      const keep = (entry: Ranked): number => {
        kept.push(entry);
        if (kept.length < count * 2 || kept.length < 64) return size(entry);
        kept.sort(ranked);
        const dropped = kept.slice(count).reduce((bytes, one) => bytes + size(one), 0);
        kept = kept.slice(0, count);
        return size(entry) - dropped;
      };
      const size = ({ key, output: value }: Ranked): number => key.length + sizeOf(value) + 32;
      return {
        add: (root) => {
          const entry = { key: order.keyOf(root.bytes()), place: places, output: detached(output(root) ?? nullValue) };
          places += 1;
          return keep(entry);
        },
        result: () => {
          const best = sortedList(kept, ranked).slice(0, count);
          // `$bottomN` answers in the order asked for, too.
          const values = (sign === 1 ? best : best.toReversed()).map((one) => one.output);
          return isCounted ? arrayOf(values) : (values[0] ?? nullValue);
        },
        save: () =>
          inParts(
            kept
              .toSorted((one, other) => one.place - other.place)
              .map((one) => arrayValue([one.output, order.saveKey(one.key)])),
          ),
        merge: (saved) => {
          let bytes = 0;
          for (const one of elementsOf(saved)) {
            const [value, key] = elementsOf(one) as [Value, Value];
            bytes += keep({ key: order.loadKey(key), place: places, output: detached(value) });
            places += 1;
          }
          return bytes;
        },
      };
    };
  };
}

export const $top: AccumulatorOperator = ranking(1, false);
export const $topN: AccumulatorOperator = ranking(1, true);
export const $bottom: AccumulatorOperator = ranking(-1, false);
export const $bottomN: AccumulatorOperator = ranking(-1, true);
