import { compilerIn } from "../aggregate/compiler.ts";
import { contextOf } from "../aggregate/context.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import { textOf, type Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import { type Collation, parseCollation } from "../query/collation.ts";
import { compileFilter, type Filter } from "../query/filter.ts";
import type { FilterOptions } from "../query/tests.ts";
import type { CollectionRecord } from "./catalog.ts";

/** What the options of a collection say, made ready. */
export interface CollectionSettings {
  /** How strings compare where a command does not say. */
  readonly collation: Collation | undefined;
  readonly validation: Validation | undefined;
  readonly capped: CappedLimits | undefined;
  /** Whether documents are kept as they were before each change, for change streams. */
  readonly keepsPreImages: boolean;
}

/** A collection that keeps the newest documents only. */
export interface CappedLimits {
  readonly sizeBytes: number;
  /** Undefined: as many as there is room for. */
  readonly documents: number | undefined;
}

/** The rule for documents. */
export interface Validation {
  readonly filter: Filter;
  /** What the filter was compiled with. */
  readonly options: FilterOptions;
  readonly level: string;
  readonly action: string;
}

const known = new WeakMap<Uint8Array, CollectionSettings>();

/** Settings of a collection or view; read once for its options. Throws what a bad option throws, which none that is kept is. */
export function settingsOf({ options }: Pick<CollectionRecord, "options">): CollectionSettings {
  const before = known.get(options);
  if (before !== undefined) return before;
  const given = getField(options, "collation");
  const collation = given?.type === bsonType.object ? parseCollation(given.bytes()) : undefined;
  const settings = {
    collation,
    validation: validationOf(options, collation),
    capped: cappedOf(options),
    keepsPreImages: keepsPreImages(options),
  };
  known.set(options, settings);
  return settings;
}

function validationOf(options: Uint8Array, collation: Collation | undefined): Validation | undefined {
  const validator = getField(options, "validator");
  if (validator?.type !== bsonType.object || validator.end - validator.start === 5) return undefined;
  const filterOptions = { compileExpression: compilerIn(contextOf(new Map(), collation)), collation };
  return {
    filter: compileFilter(validator.bytes(), filterOptions),
    options: filterOptions,
    level: textIn(getField(options, "validationLevel")) ?? "strict",
    action: textIn(getField(options, "validationAction")) ?? "error",
  };
}

function cappedOf(options: Uint8Array): CappedLimits | undefined {
  const size = getField(options, "size");
  if (!isTruthy(getField(options, "capped")) || size === undefined) return undefined;
  const max = getField(options, "max");
  const documents = max === undefined ? 0 : toNumber(max);
  return { sizeBytes: toNumber(size), documents: documents > 0 ? documents : undefined };
}

function keepsPreImages(options: Uint8Array): boolean {
  const given = getField(options, "changeStreamPreAndPostImages");
  return given?.type === bsonType.object && isTruthy(getField(given.bytes(), "enabled"));
}

function textIn(value: Value | undefined): string | undefined {
  return value?.type === bsonType.string ? textOf(value) : undefined;
}

/** The collation of a command on a collection: its own when it names one, `simple` included, or else the collection's. Throws what `parseCollation` throws. */
export function collationFor(
  given: Uint8Array | undefined,
  record: Pick<CollectionRecord, "options"> | undefined,
): Collation | undefined {
  if (given !== undefined && given.length > 5) return parseCollation(given);
  return record === undefined ? undefined : settingsOf(record).collation;
}
