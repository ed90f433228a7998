import { located } from "../../engine-error.ts";
import type { Value } from "../../bson/value.ts";
import type { SortField, SortKey } from "../../query/sort.ts";
import type { Expression, ExpressionContext } from "../context.ts";
import { Work } from "../../steps.ts";
import type { Bounds } from "./bounds.ts";

/** Documents of one partition in their order, whole. */
export interface Partition {
  readonly roots: readonly Value[];
  /** Keys of the order, one for each document; empty without an order. */
  readonly keys: readonly SortKey[];
  readonly compareKeys: (one: SortKey, other: SortKey) => number;
}

/** Values of a window function for each document of a partition; what is given in between is a pause. */
export type WindowFunction = (partition: Partition) => Generator<undefined, readonly (Value | undefined)[]>;

/** What a window function is compiled in. */
export interface WindowPlace {
  readonly name: string;
  readonly context: ExpressionContext;
  readonly compile: (value: Value) => Expression;
  readonly sort: readonly SortField[];
  /** The one value documents are ordered by; undefined when there is none, or more. */
  readonly sortValue: Expression | undefined;
  /** The window that was asked for; undefined for none, which is the whole partition. */
  readonly bounds: Bounds | undefined;
}

/** Compiles `{$function: argument}` of an output. */
export type WindowOperator = (argument: Value, place: WindowPlace) => WindowFunction;

/** A pause comes after so many steps. */
export const stepsBetweenPauses = 5000;

/** Throws unless documents are ordered by one field. */
export function requireOneSortField({ name, sort }: WindowPlace, code: number): void {
  if (sort.length !== 1)
    throw located(code, `${name} must be specified with a top level sortBy expression with exactly one element`);
}

/** A function of the whole partition at once. */
export function ofPartition(compute: (partition: Partition) => readonly (Value | undefined)[]): WindowFunction {
  return function* whole(partition) {
    return yield* new Work(compute).pausing(partition);
  };
}
