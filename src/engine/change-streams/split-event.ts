import { buildDocument, objectValue } from "../bson/builder.ts";
import { int32Value, type Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import { EngineError, located } from "../engine-error.ts";
import { type StreamPosition, tokenOf } from "./resume-token.ts";

/** Largest event: a document of the largest size, and what is told around it. */
export const eventMaxBytes = 16 * 1024 * 1024 + 16 * 1024;

/**
 * An event that is too large, as fragments of at most `maxBytes`: the smallest fields first, as many as fit, each with `splitEvent: {fragment, of}` and a token of its own
 * (manual, "$changeStreamSplitLargeEvent"). `last`: the fragment that was read last before, when the stream goes on within this event; what is answered follows it.
 * Throws 7182500 for a field that is too large by itself, 280 when `last` is not among the fragments.
 */
export function splitEvent(
  event: Uint8Array,
  position: StreamPosition,
  last: number | undefined,
  maxBytes: number,
): Uint8Array[] {
  const parts: (readonly [string, Value])[][] = [];
  let sizeBytes = 0;
  for (const { size, name, value } of bySize(event)) {
    if (parts.length === 0 || sizeBytes + size > maxBytes) {
      parts.push([]);
      sizeBytes = fragmentOf([], position, parts.length, 0).length;
    }
    parts.at(-1)?.push([name, value]);
    sizeBytes += size;
    if (sizeBytes > maxBytes)
      throw located(
        7_182_500,
        `Splitting change event failed: fragment size ${sizeBytes} is greater than maximum allowed fragment size ${maxBytes}`,
      );
  }
  const skipped = last === undefined ? 0 : last + 1;
  if (skipped > parts.length)
    throw new EngineError(
      280,
      "ChangeStreamFatalError",
      "Attempted to resume from a split event, but the resumed stream produced a different split. Ensure that the pipeline used to resume is the same as the original",
      ["NonResumableChangeStreamError"],
    );
  return parts.map((fields, index) => fragmentOf(fields, position, index + 1, parts.length)).slice(skipped);
}

/** Fields but `_id`, with the bytes that they take. */
function bySize(event: Uint8Array): { readonly size: number; readonly name: string; readonly value: Value }[] {
  return Array.from(fieldsOf(event), ({ name, value }) => ({
    size: 2 + Buffer.byteLength(name) + value.end - value.start,
    name,
    value,
  }))
    .filter(({ name }) => name !== "_id")
    .toSorted((one, other) => one.size - other.size || (one.name < other.name ? -1 : 1));
}

function fragmentOf(
  fields: readonly (readonly [string, Value])[],
  position: StreamPosition,
  number: number,
  count: number,
): Uint8Array {
  return buildDocument([
    ["_id", tokenOf({ ...position, fragment: number - 1 })],
    [
      "splitEvent",
      objectValue([
        ["fragment", int32Value(number)],
        ["of", int32Value(count)],
      ]),
    ],
    ...fields,
  ]);
}
