import { elementsOf, valueSize, viewOf } from "./bson-element.ts";

/**
 * Order of two `_id`s as MongoDB sorts them without a collation (manual, "Comparison/Sort Order"): negative, zero or positive. Each is the bytes of a whole element (type,
 * `_id`, zero, value) or the start of one, as a chunk's first id is cut at 64 bytes; then zero too when they are the same as far as both are kept. Undefined when this does not know.
 */
export function compareIds(one: Uint8Array, other: Uint8Array): number | undefined {
  // By far the most common; the bytes before the value are the same.
  if (
    one[0] === objectIdType &&
    other[0] === objectIdType &&
    one.length === objectIdElementBytes &&
    other.length === objectIdElementBytes
  )
    return compareBytes(one, 0, other, 0);
  const first = valueOf(one);
  const second = valueOf(other);
  return first === undefined || second === undefined ? undefined : compareValues(first, second);
}

/** The element of `_id` (type, name, value) at the start of a document, as every server stores it; undefined when it does not begin so. */
export function leadingId(documents: Buffer, start: number = 0): Buffer | undefined {
  return hasLeadingId(documents, start) ? documents.subarray(start + 4, leadingIdEnd(documents, start)) : undefined;
}

/** `compareIds` of an element and the `_id` of a document that begins with one. What is compared most often is compared where it lies: a view for each document would cost more than comparing. */
export function compareWithLeadingId(id: Uint8Array, documents: Buffer, start: number): number | undefined {
  if (id[0] !== objectIdType || documents[start + 4] !== objectIdType || id.length !== objectIdElementBytes)
    return compareIds(id, documents.subarray(start + 4, leadingIdEnd(documents, start)));
  return compareBytes(id, 0, documents, start + 4);
}

/** The same of the `_id`s of two documents that begin with one. */
export function compareLeadingIds(documents: Buffer, one: number, other: number): number | undefined {
  if (documents[one + 4] !== objectIdType || documents[other + 4] !== objectIdType)
    return compareWithLeadingId(documents.subarray(one + 4, leadingIdEnd(documents, one)), documents, other);
  return compareBytes(documents, one + 4, documents, other + 4);
}

/** Whether a document begins with its `_id`. */
export function hasLeadingId(documents: Buffer, start: number): boolean {
  return (
    documents[start + 5] === 0x5f &&
    documents[start + 6] === 0x69 &&
    documents[start + 7] === 0x64 &&
    documents[start + 8] === 0
  );
}

function leadingIdEnd(documents: Buffer, start: number): number {
  return start + 9 + valueSize(documents[start + 4] as number, documents, start + 9);
}

function compareBytes(one: Uint8Array, oneStart: number, other: Uint8Array, otherStart: number): number {
  for (let index = valueStart; index < objectIdElementBytes; index += 1) {
    const difference = (one[oneStart + index] as number) - (other[otherStart + index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

const objectIdType = 0x07;
/** Type, `_id`, zero, 12 bytes. */
const objectIdElementBytes = 17;
/** Bytes before the value: type, `_id`, zero. */
const valueStart = 5;

interface IdValue {
  /** Place of the type in MongoDB's order of types. */
  readonly rank: number;
  /** Fields of a document in order; anything else as what is compared. */
  readonly value: number | bigint | Buffer | readonly Field[];
}

interface Field extends IdValue {
  readonly name: string;
}

function compareValues(one: IdValue, other: IdValue): number | undefined {
  if (one.rank !== other.rank) return one.rank - other.rank;
  if (Array.isArray(one.value) && Array.isArray(other.value)) return compareFields(one.value, other.value);
  if (one.value instanceof Buffer && other.value instanceof Buffer) return one.value.compare(other.value);
  // Exact for a 64-bit integer beside a double too; NaN comes before every number and equals itself.
  if (Number.isNaN(one.value) || Number.isNaN(other.value))
    return Number(Number.isNaN(other.value)) - Number(Number.isNaN(one.value));
  return one.value < other.value ? -1 : Number(one.value > other.value);
}

/** Type, then name, then value of each field; a document comes before a longer one that it begins. */
function compareFields(one: readonly Field[], other: readonly Field[]): number {
  for (const [index, field] of one.entries()) {
    const beside = other[index];
    if (beside === undefined) return 1;
    if (field.rank !== beside.rank) return field.rank - beside.rank;
    if (field.name !== beside.name) return field.name < beside.name ? -1 : 1;
    const order = compareValues(field, beside) as number;
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

function valueOf(id: Uint8Array): IdValue | undefined {
  const view = viewOf(id);
  if (view.toString("latin1", 1, valueStart) !== "_id\0") return undefined;
  return parse(view[0] as number, view.subarray(valueStart));
}

/** Undefined for a type whose order is not known here, and for bytes cut short where that matters. */
function parse(type: number, bytes: Buffer): IdValue | undefined {
  const has = (length: number): boolean => bytes.length >= length;
  switch (type) {
    case 0xff:
      return { rank: -1, value: 0 };
    case 0x0a:
      return { rank: 0, value: 0 };
    case 0x01:
      return has(8) ? { rank: 1, value: bytes.readDoubleLE() } : undefined;
    case 0x10:
      return has(4) ? { rank: 1, value: bytes.readInt32LE() } : undefined;
    case 0x12:
      return has(8) ? { rank: 1, value: bytes.readBigInt64LE() } : undefined;
    case 0x02:
      return { rank: 2, value: bytes.subarray(4) };
    case 0x03:
      return fieldsOf(bytes);
    case 0x05:
      // Length, then subtype, then bytes; the length counts before the bytes do.
      return has(5)
        ? { rank: 4, value: Buffer.concat([bytes.subarray(0, 4).toReversed(), bytes.subarray(4)]) }
        : undefined;
    case objectIdType:
      return { rank: 5, value: bytes };
    case 0x08:
      return has(1) ? { rank: 6, value: bytes.readUInt8() } : undefined;
    case 0x09:
      return has(8) ? { rank: 7, value: bytes.readBigInt64LE() } : undefined;
    case 0x11:
      return has(8) ? { rank: 8, value: bytes.readBigUInt64LE() } : undefined;
    case 0x7f:
      return { rank: 9, value: 0 };
    default:
      return undefined;
  }
}

function fieldsOf(document: Buffer): IdValue | undefined {
  if (document.length < 5 || document.readInt32LE() !== document.length) return undefined;
  const fields: Field[] = [];
  for (const { type, name, valueStart: start, end } of elementsOf(document)) {
    const value = parse(type, document.subarray(start, end));
    if (value === undefined) return undefined;
    fields.push({ ...value, name });
  }
  return { rank: 3, value: fields };
}
