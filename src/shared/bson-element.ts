/** A field of a BSON document: where it lies in the document's bytes. */
export interface BsonElement {
  readonly type: number;
  /** Bytes of the name, one character each. */
  readonly name: string;
  /** Where the type byte is. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** The fields of a document, which somebody else made. Throws on bytes that are none, at the place where that shows. */
export function* elementsOf(document: Uint8Array): Generator<BsonElement> {
  const view = viewOf(document);
  const last = view.length - 1;
  if (view.length < 5 || view.readInt32LE(0) !== view.length || view[last] !== 0) throw malformed();
  let position = 4;
  while (position < last) {
    const type = view[position] as number;
    const nameEnd = view.indexOf(0, position + 1);
    if (nameEnd < 0 || nameEnd >= last) throw malformed();
    const valueStart = nameEnd + 1;
    const end = valueStart + valueSize(type, view, valueStart);
    if (end > last) throw malformed();
    yield { type, name: view.toString("latin1", position + 1, nameEnd), start: position, valueStart, end };
    position = end;
  }
}

/** Bytes that a value takes (bsonspec.org, version 1.1); it may reach beyond `view`. Throws on a length or a type that does not exist. */
export function valueSize(type: number, view: Buffer, at: number): number {
  switch (type) {
    case 0x06:
    case 0x0a:
    case 0x7f:
    case 0xff:
      return 0;
    case 0x08:
      return 1;
    case 0x10:
      return 4;
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x07:
      return 12;
    case 0x13:
      return 16;
    case 0x02:
    case 0x0d:
    case 0x0e:
      return 4 + statedLength(view, at, 1);
    case 0x03:
    case 0x04:
    case 0x0f:
      return statedLength(view, at, 5);
    case 0x05:
      return 5 + statedLength(view, at, 0);
    case 0x0c:
      return 4 + statedLength(view, at, 1) + 12;
    case 0x0b: {
      const patternEnd = view.indexOf(0, at);
      const optionsEnd = patternEnd < 0 ? -1 : view.indexOf(0, patternEnd + 1);
      if (optionsEnd < 0) throw malformed();
      return optionsEnd + 1 - at;
    }
    default:
      throw malformed();
  }
}

/** A Buffer over the same bytes. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function statedLength(view: Buffer, at: number, least: number): number {
  const length = at + 4 <= view.length ? view.readInt32LE(at) : -1;
  if (length < least) throw malformed();
  return length;
}

function malformed(): Error {
  return new Error("malformed BSON");
}
