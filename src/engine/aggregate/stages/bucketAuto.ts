import { located } from "../../engine-error.ts";
import { DocumentBuilder, emptyDocument, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, nullValue, textOf, type Value } from "../../bson/value.ts";
import { fieldsOf } from "../../bson/walk.ts";
import { cannotSpill, type Flow } from "../../query/flow.ts";
import type { SortKey, SortOrder } from "../../query/sort.ts";
import { sorted } from "../../query/sorted.ts";
import type { Expression } from "../context.ts";
import { type Accumulator, detached } from "../accumulators/accumulator.ts";
import { compileExpression } from "../expression.ts";
import { granularityNamed } from "../granularity.ts";
import { int32Of, isNumber, shownNumber, typeOf } from "../operators/operator.ts";
import { Work } from "../../steps.ts";
import { objectOf, roomOf, type StageFactory } from "../stage.ts";
import { countOutput, outputsOf, refusePlain } from "./bucket.ts";
import type { Output } from "./group.ts";

/** So many groups of about the same size, in the order of a value; with a granularity, borders are of its series. */
export const $bucketAuto: StageFactory = (argument, place) => {
  const { expressions, name } = place;
  let groupBy: Value | undefined;
  let buckets: number | undefined;
  let granularity: string | undefined;
  let outputs: readonly Output[] = countOutput(expressions);
  for (const field of fieldsOf(objectOf(argument, name, 40_240))) {
    if (field.name === "groupBy") groupBy = refusePlain(field.value, 40_239, name);
    else if (field.name === "buckets") buckets = bucketsOf(field.value);
    else if (field.name === "output") outputs = outputsOf(field.value, place, 40_244);
    else if (field.name === "granularity") {
      if (field.value.type !== bsonType.string)
        throw located(
          40_261,
          `The $bucketAuto 'granularity' field must be a string, but found type: ${typeOf(field.value)}.`,
        );
      granularity = textOf(field.value);
    } else throw located(40_245, `Unrecognized option to $bucketAuto: ${field.name}.`);
  }
  if (groupBy === undefined || buckets === undefined)
    throw located(40_246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.");
  const round = granularity === undefined ? undefined : granularityNamed(granularity);
  const key = compileExpression(groupBy, expressions);
  const count = buckets;
  const { compare } = expressions;
  const order = orderBy(key, compare);
  return function* bucketAuto(flow: Flow): Flow {
    const keyWork = new Work((document: Uint8Array) => key(documentValue(document)) ?? nullValue);
    let total = 0;
    function* counted(): Flow {
      for (const document of flow) {
        if (document !== undefined) {
          total += 1;
          round?.check(yield* keyWork.pausing(document));
        }
        yield document;
      }
    }
    let bucket: Bucket | undefined;
    let made = 0;
    let position = 0;
    // Nothing comes out of the sort before everything went in.
    for (const document of sorted(counted(), order, undefined, roomOf(place))) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const value = detached(yield* keyWork.pausing(document));
      // Equal values stay together.
      if (bucket !== undefined && position >= bucket.end && compare(value, bucket.last) !== 0) {
        bucket.upper ??= round === undefined ? value : round.up(bucket.last);
        if (round === undefined || compare(value, bucket.upper) >= 0) {
          yield yield* bucketDocument(bucket, outputs);
          bucket = newBucket(bucket.upper, value);
        }
      }
      bucket ??= newBucket(round === undefined ? value : round.down(value), value);
      bucket.last = value;
      for (const accumulator of bucket.accumulators) {
        bucket.bytes += yield* new Work((root: Value) => accumulator.add(root)).pausing(documentValue(document));
        if (bucket.bytes > roomOf(place).memoryMaxBytes) throw cannotSpill(name, roomOf(place).memoryMaxBytes);
      }
      position += 1;
    }
    if (bucket === undefined) return;
    bucket.upper ??= round === undefined ? bucket.last : round.up(bucket.last);
    yield yield* bucketDocument(bucket, outputs);

    function newBucket(lower: Value, first: Value): Bucket {
      made += 1;
      const size = Math.max(1, Math.floor(total / count) + (made <= total % count ? 1 : 0));
      // As in MongoDB an argument `n` sees no bucket.
      const accumulators = outputs.map((output) => output.create(documentValue(emptyDocument)));
      return {
        lower,
        upper: undefined,
        last: first,
        end: made >= count ? Number.POSITIVE_INFINITY : position + size,
        accumulators,
        bytes: 0,
      };
    }
  };
};

interface Bucket {
  readonly lower: Value;
  /** Known when the next bucket begins. */
  upper: Value | undefined;
  /** The greatest value so far. */
  last: Value;
  /** Position behind the documents that the bucket should have; those with the same value come besides. */
  readonly end: number;
  readonly accumulators: readonly Accumulator[];
  bytes: number;
}

interface ValueKey extends SortKey {
  readonly value: Value;
}

/** The order of what an expression gives. */
function orderBy(key: Expression, compare: (one: Value, other: Value) => number): SortOrder {
  const keyOf = (value: Value): ValueKey => ({ value, length: value.end - value.start });
  return {
    keyOf: (document) => keyOf(detached(key(documentValue(document)) ?? nullValue)),
    compare: (one, other) => compare((one as ValueKey).value, (other as ValueKey).value),
    saveKey: (one) => (one as ValueKey).value,
    loadKey: (saved) => keyOf(detached(saved)),
  };
}

function* bucketDocument(
  { lower, upper = lower, accumulators }: Bucket,
  outputs: readonly Output[],
): Generator<undefined, Uint8Array> {
  const id = objectValue([
    ["min", lower],
    ["max", upper],
  ]);
  const builder = new DocumentBuilder().append("_id", id);
  const work = new Work((accumulator: Accumulator) => accumulator.result());
  for (const [index, output] of outputs.entries()) {
    const result = yield* work.pausing(accumulators[index] as Accumulator);
    if (result !== undefined) builder.appendBytes(output.name, result);
  }
  return builder.finish();
}

function bucketsOf(value: Value): number {
  if (!isNumber(value))
    throw located(40_241, `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeOf(value)}.`);
  const number = int32Of(value);
  if (number === undefined)
    throw located(
      40_242,
      `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${shownNumber(value)}.`,
    );
  if (number <= 0)
    throw located(40_243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${number}.`);
  return number;
}
