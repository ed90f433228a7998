import { KeyWriter } from "../bson/key.ts";
import { compareBytes } from "../bson/bytes.ts";
import { bsonType, typeOrder } from "../bson/types.ts";
import type { Value } from "../bson/value.ts";
import { holdsText } from "./collation.ts";

/** What values of a path can be, in keys of one value: points, or one range. */
export type Bounds =
  | { readonly kind: "points"; readonly keys: readonly Uint8Array[]; readonly text: boolean }
  | {
      readonly kind: "range";
      /** Whether strings are among the values, whose place a collation changes. */
      readonly text: boolean;
      readonly from: Uint8Array;
      readonly fromInclusive: boolean;
      readonly to: Uint8Array;
      readonly toInclusive: boolean;
    };

/** Bounds of `{path: value}`; undefined for values whose equality an index cannot answer alone (arrays match as wholes and by element, null matches missing). */
export function boundsOfEquality(value: Value): Bounds | undefined {
  if (!isPlain(value)) return undefined;
  return { kind: "points", keys: [new KeyWriter().value(value).finish()], text: holdsText(value) };
}

/** Bounds of `$in`. */
export function boundsOfList(values: readonly Value[]): Bounds | undefined {
  if (values.some((value) => !isPlain(value))) return undefined;
  const keys = values.map((value) => new KeyWriter().value(value).finish()).toSorted(compareBytes);
  return {
    kind: "points",
    text: values.some(holdsText),
    keys: keys.filter((key, index) => index === 0 || compareBytes(key, keys[index - 1] as Uint8Array) !== 0),
  };
}

/** Bounds of `$gt`, `$gte`, `$lt`, `$lte`: comparisons stay within the type's own bracket. */
export function boundsOfComparison(operator: string, value: Value): Bounds | undefined {
  if (!isPlain(value)) return undefined;
  const key = new KeyWriter().value(value).finish();
  const first = Uint8Array.of(typeOrder(value.type));
  const text = holdsText(value);
  const last = Uint8Array.of(typeOrder(value.type) + 1);
  if (operator === "$gt" || operator === "$gte")
    return { kind: "range", text, from: key, fromInclusive: operator === "$gte", to: last, toInclusive: false };
  return { kind: "range", text, from: first, fromInclusive: true, to: key, toInclusive: operator === "$lte" };
}

/**
 * Adds a condition to what is known of a path. Over arrays two conditions may be met by two elements, so that a meet of ranges would be wrong there: the tighter
 * one of them is kept, never their meet, which is right for any document.
 */
export function intersectBounds(known: Map<string, Bounds>, path: string, bounds: Bounds | undefined): void {
  if (bounds === undefined) return;
  const before = known.get(path);
  if (before === undefined || (before.kind === "range" && bounds.kind === "points")) known.set(path, bounds);
}

function isPlain(value: Value): boolean {
  return ![
    bsonType.null,
    bsonType.undefined,
    bsonType.array,
    bsonType.regex,
    bsonType.minKey,
    bsonType.maxKey,
  ].includes(value.type as never);
}
