import { arrayValue, objectValue } from "../bson/builder.ts";
import { bsonType } from "../bson/types.ts";
import { boolValue, documentValue, int32Value, stringValue, type Value } from "../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { idKeyPattern, type IndexField } from "../catalog/index-specification.ts";
import { type Bounds, type Endpoint, everything, type Interval } from "../query/bounds.ts";
import type { Filter } from "../query/filter.ts";
import { isOperatorDocument } from "../query/operators/operator.ts";
import { describeValue } from "../storage/describe-value.ts";
import type { AccessFigures } from "./access.ts";
import { idFields, type KeysPlan, type Plan } from "./plan.ts";

type Fields = readonly (readonly [string, Value])[];

/** What was counted while a plan ran; undefined where it is only shown. */
export type PlanFigures = (AccessFigures & { readonly matched: number }) | undefined;

/** The stages by which a plan finds documents that fit, as `explain` shows them (manual, "Explain Results"). */
export function describePlan(plan: Plan, filter: Filter, figures: PlanFigures): Value {
  const conditions: Fields = filter.matchesAll ? [] : [["filter", parsedQuery(filter.query)]];
  if (plan.kind === "scan")
    return stage(
      "COLLSCAN",
      [...conditions, ["direction", stringValue(plan.backwards ? "backward" : "forward")]],
      figures && [["nReturned", int32Value(figures.matched)], ...docs(figures)],
    );
  if (plan.kind === "keys" && plan.clustered === true) return describeClustered(plan, conditions, figures);
  if (plan.kind === "keys" && plan.index === undefined && plan.limits === undefined && isIdLookUp(filter))
    return stage("IDHACK", [], figures && [["nReturned", int32Value(figures.matched)], ...keysAndDocs(figures)]);
  const input =
    plan.kind === "keys"
      ? describeKeys(plan, figures)
      : stage(
          "OR",
          [["inputStages", arrayValue(plan.branches.map((branch) => describeKeys(branch, undefined)))]],
          figures && [["nReturned", int32Value(figures.docsExamined)]],
        );
  return stage(
    "FETCH",
    [...conditions, ["inputStage", input]],
    figures && [["nReturned", int32Value(figures.matched)], ...docs(figures)],
  );
}

/** A stage: its name, what was counted, and what it is. */
export function stage(name: string, fields: Fields, counted: Fields | undefined): Value {
  return objectValue([["stage", stringValue(name)], ...(counted ?? []), ...fields]);
}

function docs(figures: AccessFigures): Fields {
  return [["docsExamined", int32Value(figures.docsExamined)]];
}

function keysAndDocs(figures: AccessFigures): Fields {
  return [["keysExamined", int32Value(figures.keysExamined)], ...docs(figures)];
}

/** `{_id: value}` and nothing else. */
function isIdLookUp({ query }: Filter): boolean {
  const [field, more] = [...fieldsOf(query)];
  return field?.name === "_id" && more === undefined && !isOperatorDocument(field.value);
}

/** The documents of a clustered collection are where its keys are: there is nothing to fetch. */
function describeClustered({ bounds, backwards }: KeysPlan, conditions: Fields, figures: PlanFigures): Value {
  const intervals = bounds[0]?.intervals ?? [];
  const [first, last] = [intervals[0]?.from.value, intervals.at(-1)?.to.value];
  return stage(
    intervals.length === 0 ? "COLLSCAN" : "CLUSTERED_IXSCAN",
    [
      ...conditions,
      ["direction", stringValue(backwards ? "backward" : "forward")],
      ...(first === undefined ? [] : [["minRecord", first] as const]),
      ...(last === undefined ? [] : [["maxRecord", last] as const]),
    ],
    figures && [["nReturned", int32Value(figures.matched)], ...docs(figures)],
  );
}

function describeKeys(plan: KeysPlan, figures: PlanFigures): Value {
  const { index, bounds, limits, backwards, wildcardPath } = plan;
  const fields = index?.fields ?? idFields;
  return stage(
    "IXSCAN",
    [
      [
        "keyPattern",
        wildcardPath === undefined ? documentValue(index?.key ?? idKeyPattern) : wildcardPattern(wildcardPath),
      ],
      ["indexName", stringValue(index?.name ?? "_id_")],
      ...(index?.collation === undefined
        ? []
        : ([["collation", documentValue(index.collation.specification)]] as const)),
      ["isMultiKey", boolValue(index?.multikey === true)],
      ["isUnique", boolValue(index === undefined || index.unique)],
      ["isSparse", boolValue(index?.sparse === true)],
      ["isPartial", boolValue(index?.partial !== undefined)],
      ["indexVersion", int32Value(2)],
      ["direction", stringValue(backwards ? "backward" : "forward")],
      [
        "indexBounds",
        wildcardPath !== undefined
          ? wildcardBoundsValue(wildcardPath, bounds)
          : limits === undefined
            ? boundsValue(fields, bounds, backwards)
            : limitsValue(limits),
      ],
    ],
    figures && [
      ["nReturned", int32Value(figures.docsExamined)],
      ["keysExamined", int32Value(figures.keysExamined)],
    ],
  );
}

/** The keys of a wildcard index are a path and a value. */
function wildcardPattern(path: string): Value {
  return objectValue([
    ["$_path", int32Value(1)],
    [path, int32Value(1)],
  ]);
}

function wildcardBoundsValue(path: string, bounds: readonly Bounds[]): Value {
  const quoted = describeValue(stringValue(path));
  const intervals = bounds[0]?.intervals ?? [];
  return objectValue([
    ["$_path", arrayValue([stringValue(`[${quoted}, ${quoted}]`)])],
    [path, arrayValue(intervals.map((interval) => stringValue(intervalText(interval, false))))],
  ]);
}

/** A range as it was given, by its ends. */
function limitsValue({ min, max, maxIncluded }: NonNullable<KeysPlan["limits"]>): Value {
  return objectValue([
    ["startKey", documentValue(min)],
    ["startKeyInclusive", boolValue(true)],
    ["endKey", documentValue(max)],
    ["endKeyInclusive", boolValue(maxIncluded)],
  ]);
}

function boundsValue(fields: readonly IndexField[], bounds: readonly Bounds[], backwards: boolean): Value {
  return objectValue(
    fields.map((field, position) => {
      const intervals = bounds[position]?.intervals ?? [everything];
      const turned = field.descending !== backwards;
      const shown = intervals.map((interval) => intervalText(interval, turned));
      return [field.path.text, arrayValue((turned ? shown.toReversed() : shown).map(stringValue))] as const;
    }),
  );
}

function intervalText({ from, to }: Interval, turned: boolean): string {
  const [low, high] = [endOf(from, true), endOf(to, false)];
  const [first, last] = turned ? [high, low] : [low, high];
  return `${first.inclusive ? "[" : "("}${first.text}, ${last.text}${last.inclusive ? "]" : ")"}`;
}

interface End {
  readonly text: string;
  readonly inclusive: boolean;
}

function endOf(end: Endpoint, low: boolean): End {
  if (!end.edge) return { text: end.value === undefined ? "" : describeValue(end.value), inclusive: end.inclusive };
  return (low ? lowest : highest)[end.bytes[0] as number] ?? { text: low ? "MinKey" : "MaxKey", inclusive: true };
}

/** The first value of a type, by the byte that its keys begin with. */
const lowest: Readonly<Record<number, End>> = {
  0x1a: { text: "-inf.0", inclusive: true },
  0x1f: { text: '""', inclusive: true },
  0x24: { text: "{}", inclusive: true },
  0x2e: { text: "BinData(0, )", inclusive: true },
  0x33: { text: "ObjectId('000000000000000000000000')", inclusive: true },
  0x38: { text: "false", inclusive: true },
  0x3d: { text: "new Date(-9223372036854775808)", inclusive: true },
  0x3f: { text: "Timestamp(0, 0)", inclusive: true },
  0x42: { text: "//", inclusive: true },
};

/** The end of a type, by the byte behind the one that its keys begin with: its last value, or the first of the next type. */
const highest: Readonly<Record<number, End>> = {
  0x1b: { text: "inf.0", inclusive: true },
  0x20: { text: "{}", inclusive: false },
  0x25: { text: "[]", inclusive: false },
  0x2f: { text: "ObjectId('000000000000000000000000')", inclusive: false },
  0x34: { text: "ObjectId('ffffffffffffffffffffffff')", inclusive: true },
  0x39: { text: "true", inclusive: true },
  0x3e: { text: "new Date(9223372036854775807)", inclusive: true },
  0x40: { text: "Timestamp(4294967295, 4294967295)", inclusive: true },
  0x43: { text: "//", inclusive: true },
};

/** A query with every condition by its operator, several joined by `$and`. */
export function parsedQuery(query: Uint8Array): Value {
  const clauses = [...fieldsOf(query)].flatMap(({ name, value }): Value[] => {
    if (name.startsWith("$")) return [objectValue([[name, value]])];
    if (!isOperatorDocument(value)) {
      const operator = value.type === bsonType.regex ? "$regex" : "$eq";
      return [objectValue([[name, objectValue([[operator, value]])]])];
    }
    const operators = [...fieldsOfValue(value)];
    if (operators.some((one) => one.name === "$options")) return [objectValue([[name, value]])];
    return operators.map((one) => objectValue([[name, objectValue([[one.name, one.value]])]]));
  });
  const [only] = clauses;
  if (only === undefined) return objectValue([]);
  return clauses.length === 1 ? only : objectValue([["$and", arrayValue(clauses)]]);
}
