import { EngineError, failedToParse, located } from "../../engine-error.ts";
import { fieldPathOf } from "../../bson/field-name.ts";
import { arrayValue } from "../../bson/builder.ts";
import { parsePath } from "../../bson/path.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { documentValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Namespace } from "../../engine.ts";
import { blockingStepMaxBytes, type Flow } from "../../query/flow.ts";
import {
  type Expression,
  type ExpressionContext,
  refuseVariableName,
  type Variable,
  withVariables,
} from "../context.ts";
import { compileExpression } from "../expression.ts";
import { ForeignDocuments, joinValues } from "../foreign-documents.ts";
import { Work } from "../../steps.ts";
import { sourceOf, type StageFactory, type StagePlace } from "../stage.ts";
import { withAdded } from "./addFields.ts";

interface Bound {
  readonly name: string;
  readonly variable: Variable;
  readonly expression: Expression;
}

/** Gives the documents that join a document; `undefined` in between is a pause. */
type Join = (document: Uint8Array) => Flow;

export const $lookup: StageFactory = (argument, place) => {
  const given = namedFields(argument);
  const as = textOfField(given, "as");
  if (as === undefined) throw failedToParse("must specify 'as' field for a $lookup");
  const segments = fieldPathOf(as);
  const join = joinOf(given, place);
  return function* lookup(flow: Flow): Flow {
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const found: Value[] = [];
      let bytes = 0;
      for (const joined of join(document)) {
        if (joined === undefined) {
          yield undefined;
          continue;
        }
        bytes += joined.length;
        if (bytes > blockingStepMaxBytes)
          throw located(4_568, "Total size of documents in $lookup matching pipeline exceeds maximum document size");
        found.push(documentValue(joined));
      }
      yield withAdded(document, segments, arrayValue(found));
    }
  };
};

const known: ReadonlySet<string> = new Set(["from", "localField", "foreignField", "let", "pipeline", "as"]);

function namedFields(argument: Value): ReadonlyMap<string, Value> {
  if (argument.type !== bsonType.object)
    throw failedToParse(`the $lookup specification must be an Object, but found ${typeName(argument.type)}`);
  const given = new Map<string, Value>();
  for (const { name, value } of fieldsOfValue(argument)) {
    if (!known.has(name)) throw failedToParse(`unknown argument to $lookup: ${name}`);
    given.set(name, value);
  }
  return given;
}

function textOfField(given: ReadonlyMap<string, Value>, name: string): string | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  if (value.type !== bsonType.string)
    throw failedToParse(`$lookup argument '${name}' must be a string, found ${typeName(value.type)}`);
  return textOf(value);
}

/** The collection named under `from`, in the database of the pipeline; undefined for a pipeline that begins with `$documents`. */
function fromOf(given: ReadonlyMap<string, Value>, { namespace }: StagePlace): Namespace | undefined {
  const from = given.get("from");
  if (from?.type === bsonType.object)
    throw new EngineError(238, "NotImplemented", "$lookup from another database is not supported by this server");
  const collection = textOfField(given, "from");
  if (collection === "") throw new EngineError(73, "InvalidNamespace", "Collection names cannot be empty");
  return collection === undefined ? undefined : { database: namespace.database, collection };
}

function joinOf(given: ReadonlyMap<string, Value>, place: StagePlace): Join {
  sourceOf(place);
  const from = fromOf(given, place);
  const [localField, foreignField] = [textOfField(given, "localField"), textOfField(given, "foreignField")];
  const pipelineGiven = given.get("pipeline");
  if (pipelineGiven !== undefined && pipelineGiven.type !== bsonType.array)
    throw new EngineError(
      14,
      "TypeMismatch",
      `'pipeline' option must be specified as an array, found ${typeName(pipelineGiven.type)}`,
    );
  if ((localField === undefined) !== (foreignField === undefined))
    throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
  if (given.has("let") && pipelineGiven === undefined)
    throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'");
  if (localField === undefined && pipelineGiven === undefined)
    throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified");
  const pipeline = pipelineGiven === undefined ? undefined : stagesOf(pipelineGiven);
  if (from === undefined && (pipeline === undefined || !beginsWithDocuments(pipeline)))
    throw failedToParse("must specify 'from' field for a $lookup");
  const bound = boundVariables(given.get("let"), place.expressions);
  const inner: StagePlace = {
    ...place,
    hint: undefined,
    expressions: seeing(place.expressions, bound),
    within: [...place.within, "$lookup"],
  };
  for (const field of [localField, foreignField]) if (field !== undefined) fieldPathOf(field);
  if (localField === undefined || foreignField === undefined) return pipelineJoin(from, pipeline ?? [], bound, inner);
  const path = parsePath(localField);
  const [first] = from === undefined ? (pipeline ?? []) : [];
  const foreign = new ForeignDocuments(inner, from, foreignField, first === undefined ? {} : { first });
  const rest = first === undefined ? pipeline : pipeline?.slice(1);
  const run = rest === undefined ? undefined : inner.compile(rest, inner);
  return function* join(document): Flow {
    yield* bind(bound, document);
    const matching = foreign.matching(joinValues(document, path));
    yield* run === undefined ? matching : run(matching);
  };
}

/** A pipeline that sees no variables of the document gives always the same, and is run once when that is small. */
const rememberedMaxBytes = 16 * 1024 * 1024;

function pipelineJoin(
  from: Namespace | undefined,
  pipeline: readonly Uint8Array[],
  bound: readonly Bound[],
  inner: StagePlace,
): Join {
  const read = inner.compileRead(from, pipeline, inner);
  if (bound.length > 0)
    return function* join(document): Flow {
      yield* bind(bound, document);
      yield* read();
    };
  let remembered: readonly Uint8Array[] | undefined;
  return function* join(): Flow {
    if (remembered !== undefined) return yield* remembered;
    let results: Uint8Array[] | undefined = [];
    let bytes = 0;
    for (const document of read()) {
      yield document;
      if (document === undefined) continue;
      bytes += document.length + 64;
      if (bytes > rememberedMaxBytes) results = undefined;
      results?.push(document);
    }
    remembered = results;
  };
}

/** Stages given as an array of documents. */
export function stagesOf(pipeline: Value): readonly Uint8Array[] {
  return elementsOf(pipeline).map((stage) => {
    if (stage.type !== bsonType.object)
      throw new EngineError(14, "TypeMismatch", "Each element of the 'pipeline' array must be an object");
    return stage.bytes();
  });
}

export function beginsWithDocuments(pipeline: readonly Uint8Array[]): boolean {
  const [first] = pipeline;
  const field = first === undefined ? undefined : fieldsOfValue(documentValue(first)).next().value;
  return field?.name === "$documents";
}

function boundVariables(given: Value | undefined, context: ExpressionContext): Bound[] {
  if (given === undefined) return [];
  if (given.type !== bsonType.object)
    throw failedToParse(`$lookup argument 'let: ...' must be an object, is type ${typeName(given.type)}`);
  return Array.from(fieldsOfValue(given), ({ name, value }) => {
    refuseVariableName(name, "set");
    return { name, variable: { value: undefined }, expression: compileExpression(value, context) };
  });
}

function seeing(context: ExpressionContext, bound: readonly Bound[]): ExpressionContext {
  return withVariables(
    context,
    bound.map(({ name, variable }) => [name, variable]),
  );
}

function* bind(bound: readonly Bound[], document: Uint8Array): Generator<undefined, void> {
  const root = documentValue(document);
  for (const { variable, expression } of bound) variable.value = yield* new Work(expression).pausing(root);
}
