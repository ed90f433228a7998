import { located } from "../../engine-error.ts";
import { DocumentBuilder, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, nullValue, textOf, type Value } from "../../bson/value.ts";
import { fieldsOf } from "../../bson/walk.ts";
import { blockingStepMaxBytes, type Flow, memoryLimit } from "../../query/flow.ts";
import { type Accumulator, detached } from "../accumulators/accumulator.ts";
import { compileExpression } from "../expression.ts";
import { granularityNamed } from "../granularity.ts";
import { int32Of, isNumber, shownNumber, typeOf } from "../operators/operator.ts";
import { sortedList } from "../../bson/arrays.ts";
import { Work } from "../../steps.ts";
import { objectOf, type StageFactory } from "../stage.ts";
import { countOutput, outputsOf, refusePlain } from "./bucket.ts";
import type { Output } from "./group.ts";

interface Ranked {
  readonly key: Value;
  readonly document: Uint8Array;
}

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
  const sortWork = new Work((list: readonly Ranked[]) => sortedList(list, (one, other) => compare(one.key, other.key)));
  return function* bucketAuto(flow: Flow): Flow {
    let ranked: readonly Ranked[] = [];
    const unordered: Ranked[] = [];
    const keyWork = new Work(key);
    let bytes = 0;
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const value = (yield* keyWork.pausing(documentValue(document))) ?? nullValue;
      if (round !== undefined) round.check(value);
      unordered.push({ key: detached(value), document });
      bytes += document.length + 128;
      if (bytes > blockingStepMaxBytes) throw memoryLimit(name);
    }
    ranked = yield* sortWork.pausing(unordered);
    const size = Math.floor(ranked.length / count);
    const larger = ranked.length % count;
    let position = 0;
    let lower = round !== undefined && ranked[0] !== undefined ? round.down(ranked[0].key) : ranked[0]?.key;
    for (let made = 1; position < ranked.length && lower !== undefined; made += 1) {
      let end =
        made >= count
          ? ranked.length
          : Math.min(position + Math.max(1, size + (made <= larger ? 1 : 0)), ranked.length);
      // Equal values stay together.
      while (end < ranked.length && compare((ranked[end] as Ranked).key, (ranked[end - 1] as Ranked).key) === 0)
        end += 1;
      let upper: Value;
      if (round === undefined) upper = (ranked[end] ?? (ranked.at(-1) as Ranked)).key;
      else {
        upper = round.up((ranked[end - 1] as Ranked).key);
        while (end < ranked.length && compare((ranked[end] as Ranked).key, upper) < 0) end += 1;
      }
      yield yield* bucketDocument(lower, upper, ranked, position, end, outputs);
      position = end;
      lower = upper;
    }
  };
};

function* bucketDocument(
  lower: Value,
  upper: Value,
  ranked: readonly Ranked[],
  start: number,
  end: number,
  outputs: readonly Output[],
): Generator<undefined, Uint8Array> {
  const id = objectValue([
    ["min", lower],
    ["max", upper],
  ]);
  const builder = new DocumentBuilder().append("_id", id);
  for (const output of outputs) {
    const accumulator: Accumulator = output.create(id);
    const add = new Work((root: Value) => accumulator.add(root));
    for (let position = start; position < end; position += 1) {
      yield* add.pausing(documentValue((ranked[position] as Ranked).document));
      if (position % 64 === 0) yield undefined;
    }
    const result = yield* new Work(() => accumulator.result()).pausing(undefined);
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
