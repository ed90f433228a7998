import { cstringEnd, readInt32, textBytes, writeInt32 } from "../bson/bytes.ts";
import { valueLength } from "../bson/value.ts";

/** Keeps fields of the document itself, or leaves them out, by their names alone: what is kept is copied in stretches, without looking into it. */
export function compilePlainProjection(
  names: readonly string[],
  including: boolean,
  keepId: boolean,
): (document: Uint8Array) => Uint8Array {
  const listed = names.map(textBytes);
  return (document) => {
    const end = readInt32(document, 0) - 1;
    const kept: Uint8Array[] = [];
    let size = 5;
    let stretch = -1;
    let position = 4;
    const close = (): void => {
      if (stretch === -1) return;
      kept.push(document.subarray(stretch, position));
      size += position - stretch;
      stretch = -1;
    };
    while (position < end) {
      const nameEnd = cstringEnd(document, position + 1, end);
      const isKept = isName(document, position + 1, nameEnd, idName)
        ? keepId
        : listed.some((name) => isName(document, position + 1, nameEnd, name)) === including;
      if (!isKept) close();
      else if (stretch === -1) stretch = position;
      position = nameEnd + 1 + valueLength(document[position] as number, document, nameEnd + 1);
    }
    close();
    const bytes = new Uint8Array(size);
    writeInt32(bytes, 0, size);
    let written = 4;
    for (const part of kept) {
      bytes.set(part, written);
      written += part.length;
    }
    return bytes;
  };
}

const idName = textBytes("_id");

function isName(document: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index += 1) if (document[start + index] !== name[index]) return false;
  return true;
}
