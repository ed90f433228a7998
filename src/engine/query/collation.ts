import { badValue, EngineError } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { compareValues } from "../bson/compare.ts";
import { keyText } from "../bson/key.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName, typeOrder } from "../bson/types.ts";
import { boolValue, int32Value, stringValue, textOf, Value } from "../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { CollationKeys } from "./collation-keys.ts";
import { type CollationSettings, hasBackwardsAccents, orderOf } from "./collator.ts";

/** How strings compare where a collation holds. Without one they go by their bytes. */
export interface Collation {
  /** Every field, defaults filled in, as MongoDB lists it with collections and indexes. */
  readonly specification: Uint8Array;
  /** Equal for collations that are the same. */
  readonly name: string;
  compareText(one: string, other: string): number;
  /** A text for keys of indexes: equal for texts that compare equal, and for few others. */
  keyOf(text: string): string;
  /** Whether texts that differ have one key so often that nothing should depend on it: digits that count as numbers. */
  readonly hasCoarseKeys: boolean;
}

/** Order of two values, negative, 0 or positive. */
export type CompareValues = (one: Value, other: Value) => number;

const fieldNames = [
  "locale",
  "caseLevel",
  "caseFirst",
  "strength",
  "numericOrdering",
  "alternate",
  "maxVariable",
  "normalization",
  "backwards",
] as const;

/** MongoDB writes the version of its ICU data with a collation; clients only show it. */
const shownVersion = "57.1";

/**
 * Reads a collation document (manual, "Collation"). Undefined for none: an empty one, and `{locale: "simple"}`. Throws 40415, 40414, 14, 2 for what is no collation,
 * and 238 for a combination that `Intl.Collator` cannot give.
 */
export function parseCollation(document: Uint8Array): Collation | undefined {
  const given = new Map<string, Value>();
  for (const { name, value } of fieldsOf(document)) {
    if (!(fieldNames as readonly string[]).includes(name) && name !== "version")
      throw new EngineError(40_415, "Location40415", `BSON field 'collation.${name}' is an unknown field.`);
    given.set(name, value);
  }
  if (given.size === 0) return undefined;
  const settings = settingsOf(given);
  if (settings.locale === "simple") return undefined;
  return new IntlCollation(settings);
}

function settingsOf(given: ReadonlyMap<string, Value>): CollationSettings {
  const locale = given.get("locale");
  if (locale === undefined)
    throw new EngineError(40_414, "Location40414", "BSON field 'collation.locale' is missing but a required field");
  if (locale.type !== bsonType.string) throw wrongType("locale", locale, "string");
  const level = strengthOf(given.get("strength"));
  return {
    locale: textOf(locale),
    caseLevel: flag(given, "caseLevel") ?? false,
    caseFirst: choice(given, "caseFirst", ["off", "upper", "lower"]),
    strength: level,
    numericOrdering: flag(given, "numericOrdering") ?? false,
    alternate: choice(given, "alternate", ["non-ignorable", "shifted"]),
    maxVariable: choice(given, "maxVariable", ["punct", "space"]),
    normalization: flag(given, "normalization") ?? false,
    backwards: flag(given, "backwards"),
  };
}

function strengthOf(value: Value | undefined): number {
  if (value === undefined) return 3;
  if (!isNumberType(value.type)) throw wrongType("strength", value, "int");
  const strength = Math.trunc(toNumber(value));
  if (strength >= 1 && strength <= 5) return strength;
  if (strength === 0) throw badValue("Enumeration value '0' for field 'collation.strength' is not a valid value.");
  const bound = strength < 0 ? ">= 0" : "<= 5";
  throw new EngineError(
    51_024,
    "Location51024",
    `BSON field 'strength' value must be ${bound}, actual value '${strength}'`,
  );
}

function flag(given: ReadonlyMap<string, Value>, name: string): boolean | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  if (value.type !== bsonType.bool) throw wrongType(name, value, "bool");
  return isTruthy(value);
}

function choice<Choice extends string>(
  given: ReadonlyMap<string, Value>,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  if (value.type !== bsonType.string) throw wrongType(name, value, "string");
  const text = textOf(value);
  const found = choices.find((one) => one === text);
  if (found === undefined)
    throw badValue(`Enumeration value '${text}' for field 'collation.${name}' is not a valid value.`);
  return found;
}

function wrongType(name: string, value: Value, expected: string): EngineError {
  return new EngineError(
    14,
    "TypeMismatch",
    `BSON field 'collation.${name}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
  );
}

/** A collation by ICU, as `Intl.Collator` gives it. */
class IntlCollation implements Collation {
  readonly specification: Uint8Array;
  readonly name: string;
  readonly #compare: (one: string, other: string) => number;
  readonly #settings: CollationSettings;
  readonly hasCoarseKeys: boolean;
  #keys: CollationKeys | undefined;
  /** Strength 5: what is equal to the collator is told apart by its code points. */
  readonly #identical: boolean;

  constructor(settings: CollationSettings) {
    const { compare, resolved } = orderOf(settings);
    this.#compare = compare;
    this.#settings = settings;
    this.hasCoarseKeys = settings.numericOrdering;
    this.#identical = settings.strength === 5;
    this.specification = buildDocument([
      ["locale", stringValue(settings.locale)],
      ["caseLevel", boolValue(settings.caseLevel)],
      ["caseFirst", stringValue(resolved.caseFirst === "false" ? "off" : resolved.caseFirst)],
      ["strength", int32Value(settings.strength)],
      ["numericOrdering", boolValue(settings.numericOrdering)],
      ["alternate", stringValue(resolved.ignorePunctuation ? "shifted" : "non-ignorable")],
      ["maxVariable", stringValue(settings.maxVariable ?? "punct")],
      ["normalization", boolValue(settings.normalization)],
      ["backwards", boolValue(settings.backwards ?? hasBackwardsAccents(settings.locale))],
      ["version", stringValue(shownVersion)],
    ]);
    this.name = Buffer.from(this.specification).toString("latin1");
  }

  compareText(one: string, other: string): number {
    if (one === other) return 0;
    const order = this.#compare(one, other);
    if (order !== 0 || !this.#identical) return order;
    return Buffer.compare(Buffer.from(one.normalize("NFD")), Buffer.from(other.normalize("NFD")));
  }

  keyOf(text: string): string {
    this.#keys ??= keysOf(this.#settings);
    return this.#keys.keyOf(text);
  }
}

/** Keys by what they depend on; made once in a process, since their letters take long to order. */
const keysByName = new Map<string, CollationKeys>();
const keysMax = 32;

function keysOf(settings: CollationSettings): CollationKeys {
  const { locale, numericOrdering, alternate, maxVariable } = settings;
  const name = JSON.stringify([locale, numericOrdering, alternate, maxVariable]);
  const known = keysByName.get(name);
  if (known !== undefined) return known;
  const keys = new CollationKeys(orderOf({ ...settings, strength: 1, caseLevel: false }).compare);
  if (keysByName.size >= keysMax) keysByName.clear();
  keysByName.set(name, keys);
  return keys;
}

/** The order of values under a collation; strings within documents and arrays follow it too. */
export function valueOrder(collation: Collation | undefined): CompareValues {
  if (collation === undefined) return compareValues;
  const compare: CompareValues = (one, other) => {
    if (one.type === bsonType.string && other.type === bsonType.string)
      return collation.compareText(textOf(one), textOf(other));
    if (one.type === bsonType.array && other.type === bsonType.array) {
      const [left, right] = [elementsOf(one), elementsOf(other)];
      for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
        const order = compare(left[index] as Value, right[index] as Value);
        if (order !== 0) return order;
      }
      return left.length - right.length;
    }
    if (one.type === bsonType.object && other.type === bsonType.object) return compareDocuments(one, other, compare);
    return compareValues(one, other);
  };
  return compare;
}

/** Field by field: the types, the names by their bytes, then the values. */
function compareDocuments(one: Value, other: Value, compare: CompareValues): number {
  const [left, right] = [[...fieldsOfValue(one)], [...fieldsOfValue(other)]];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const [first, second] = [left[index], right[index]] as [(typeof left)[number], (typeof right)[number]];
    const order =
      typeOrder(first.value.type) - typeOrder(second.value.type) ||
      Buffer.compare(Buffer.from(first.name), Buffer.from(second.name)) ||
      compare(first.value, second.value);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/**
 * A function from values to texts that are equal exactly for values that compare equal, for sets and groups of one query. Under a collation each string stands for
 * the first equal one that was met, so texts of different functions must not be compared.
 */
export function equalityKeys(collation: Collation | undefined): (value: Value) => string {
  if (collation === undefined) return keyText;
  const classes = new EqualTexts(collation);
  const unified = (value: Value): Value => {
    if (value.type === bsonType.string) return stringValue(classes.firstEqual(textOf(value)));
    if (value.type !== bsonType.object && value.type !== bsonType.array) return value;
    const fields = Array.from(fieldsOfValue(value), (field) => [field.name, unified(field.value)] as const);
    return new Value(value.type, buildDocument(fields));
  };
  return (value) => keyText(unified(value));
}

/** Whether the order of a value under a collation may differ from its order without. */
export function holdsText(value: Value): boolean {
  if (value.type === bsonType.string) return true;
  if (value.type !== bsonType.object && value.type !== bsonType.array) return false;
  return elementsOf(value).some(holdsText);
}

/** Texts met so far, in order, one of each class of equal ones. */
class EqualTexts {
  readonly #collation: Collation;
  readonly #ordered: string[] = [];
  readonly #known = new Map<string, string>();

  constructor(collation: Collation) {
    this.#collation = collation;
  }

  firstEqual(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    let [low, high] = [0, this.#ordered.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = this.#collation.compareText(this.#ordered[middle] as string, text);
      if (order === 0) return this.#remember(text, this.#ordered[middle] as string);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    this.#ordered.splice(low, 0, text);
    return this.#remember(text, text);
  }

  #remember(text: string, first: string): string {
    this.#known.set(text, first);
    return first;
  }
}
