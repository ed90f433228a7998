/** Type bytes of BSON (bsonspec.org, version 1.1). */
export const bsonType = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binData: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  bool: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  javascript: 0x0d,
  symbol: 0x0e,
  javascriptWithScope: 0x0f,
  int: 0x10,
  timestamp: 0x11,
  long: 0x12,
  decimal: 0x13,
  minKey: 0xff,
  maxKey: 0x7f,
} as const;

/** Names that `$type` takes, with the number of each; `minKey` is -1 there. */
export const typeNumbersByAlias: Readonly<Record<string, number>> = { ...bsonType };

const aliases = new Map<number, string>(Object.entries(bsonType).map(([name, number]) => [number, name]));

/** Name of a type for messages, as `$type` spells it. */
export function typeName(type: number): string {
  return aliases.get(type) ?? `unknown type ${type}`;
}

export function isNumberType(type: number): boolean {
  return type === bsonType.int || type === bsonType.double || type === bsonType.long || type === bsonType.decimal;
}

/**
 * Place of a type among types when values of different types are compared (manual, "Comparison/Sort Order"). Numbers share one, so do strings and
 * symbols. Always above 0, so that it can stand in keys.
 */
export function typeOrder(type: number): number {
  return orders[type] ?? 0xf0;
}

const orders: Readonly<Record<number, number>> = {
  [bsonType.minKey]: 0x0f,
  [bsonType.undefined]: 0x10,
  [bsonType.null]: 0x15,
  [bsonType.int]: 0x1a,
  [bsonType.long]: 0x1a,
  [bsonType.double]: 0x1a,
  [bsonType.decimal]: 0x1a,
  [bsonType.string]: 0x1f,
  [bsonType.symbol]: 0x1f,
  [bsonType.object]: 0x24,
  [bsonType.array]: 0x29,
  [bsonType.binData]: 0x2e,
  [bsonType.objectId]: 0x33,
  [bsonType.bool]: 0x38,
  [bsonType.date]: 0x3d,
  [bsonType.timestamp]: 0x3f,
  [bsonType.regex]: 0x42,
  [bsonType.dbPointer]: 0x47,
  [bsonType.javascript]: 0x4c,
  [bsonType.javascriptWithScope]: 0x51,
  [bsonType.maxKey]: 0x8f,
};
