import { badValue, EngineError, failedToParse } from "../engine-error.ts";
import { arrayValue, buildDocument } from "../bson/builder.ts";
import { equalBytes } from "../bson/bytes.ts";
import { equalValues } from "../bson/compare.ts";
import { bsonType, typeName } from "../bson/types.ts";
import { boolOf, dateValue, textOf, timestampValue, type Value } from "../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue, getField } from "../bson/walk.ts";
import { compileFilter, type Filter } from "../query/filter.ts";
import { $addToSet, $pop, $pull, $pullAll, $push } from "./array-operators.ts";
import { arrayAt, type Change, changeAt, MutableDocument, nodeAt, toValue } from "./mutable.ts";
import { $bit, $inc, $max, $min, $mul } from "./number-operators.ts";

/** Milliseconds and cluster time that `$currentDate` writes. */
export interface UpdateMoment {
  readonly nowMs: number;
}

export interface UpdateRun {
  /** The filter that chose the document, for the positional `$`. */
  readonly filter: Filter;
  readonly moment: UpdateMoment;
  /** Whether the document is being made by an upsert. */
  readonly inserting: boolean;
}

/** An update made ready. Answers the new bytes, or the same array when nothing changes. Throws 66 ImmutableField and others. */
export type Update = (document: Uint8Array, run: UpdateRun) => Uint8Array;

interface Step {
  readonly path: string;
  readonly segments: readonly string[];
  /** Made once for each run: `$currentDate` depends on it. */
  readonly change: (run: UpdateRun) => Change;
  readonly create: boolean;
  readonly onlyOnInsert: boolean;
  /** `$rename`: where the value goes. */
  readonly renameTo?: string;
}

/** Compiles an update document or a replacement (manual, "Update Operators"). */
export function compileUpdate(update: Uint8Array, arrayFilters: readonly Uint8Array[] = []): Update {
  const fields = [...fieldsOf(update)];
  if (fields[0]?.name.startsWith("$") !== true) return compileReplacement(fields);
  const steps: Step[] = [];
  for (const { name, value } of fields) {
    if (!name.startsWith("$"))
      throw new EngineError(
        9,
        "FailedToParse",
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    if (value.type !== bsonType.object)
      throw failedToParse(
        `Modifiers operate on fields but we found type ${typeName(value.type)} instead. For example: {$mod: {<field>: ...}} not {${name}: ...}`,
      );
    for (const field of fieldsOfValue(value)) steps.push(...compileStep(name, field.name, field.value));
  }
  const ordered = steps.toSorted((one, other) => comparePaths(one.path, other.path));
  refuseConflicts(ordered);
  const filters = compileArrayFilters(arrayFilters, ordered);
  return (document, run) => {
    const root = MutableDocument.of(document);
    for (const step of ordered) if (!step.onlyOnInsert || run.inserting) applyStep(root, step, run, filters, document);
    if (run.inserting) root.putFirst("_id");
    const result = root.toBytes();
    refuseChangedId(document, result, run.inserting);
    return equalBytes(document, result) ? document : result;
  };
}

function compileReplacement(fields: readonly { name: string; value: Value }[]): Update {
  for (const { name } of fields) {
    if (name.startsWith("$"))
      throw new EngineError(
        52,
        "DollarPrefixedFieldName",
        `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
  }
  const givenId = fields.find(({ name }) => name === "_id")?.value;
  const rest = fields.filter(({ name }) => name !== "_id").map(({ name, value }) => [name, value] as const);
  return (document) => {
    const id = getField(document, "_id");
    if (givenId !== undefined && id !== undefined && !equalValues(givenId, id)) throw immutableId();
    const kept = id ?? givenId;
    const result = buildDocument(kept === undefined ? rest : [["_id", kept], ...rest]);
    return equalBytes(document, result) ? document : result;
  };
}

function compileStep(operator: string, path: string, argument: Value): Step[] {
  const segments = checkedPath(path);
  const step = (change: Change, create = true): Step[] => [
    { path, segments, change: () => change, create, onlyOnInsert: false },
  ];
  switch (operator) {
    case "$set":
      return step(() => argument);
    case "$setOnInsert":
      return [{ path, segments, change: () => () => argument, create: true, onlyOnInsert: true }];
    case "$unset":
      return step(() => undefined, false);
    case "$inc":
      return step($inc(argument, path));
    case "$mul":
      return step($mul(argument, path));
    case "$min":
      return step($min(argument));
    case "$max":
      return step($max(argument));
    case "$bit":
      return step($bit(argument, path));
    case "$push":
      return step($push(argument, path));
    case "$addToSet":
      return step($addToSet(argument, path));
    case "$pull":
      return step($pull(argument, path), false);
    case "$pullAll":
      return step($pullAll(argument, path), false);
    case "$pop":
      return step($pop(argument, path), false);
    case "$currentDate":
      return [{ path, segments, change: currentDate(argument), create: true, onlyOnInsert: false }];
    case "$rename":
      return compileRename(path, segments, argument);
    default:
      throw failedToParse(
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
  }
}

function currentDate(argument: Value): (run: UpdateRun) => Change {
  let wanted = "date";
  if (argument.type === bsonType.object) {
    const type = [...fieldsOfValue(argument)].find(({ name }) => name === "$type")?.value;
    wanted = type?.type === bsonType.string ? textOf(type) : "";
  } else if (argument.type !== bsonType.bool || !boolOf(argument)) {
    wanted = argument.type === bsonType.bool ? "date" : "";
  }
  if (wanted !== "date" && wanted !== "timestamp")
    throw badValue(
      "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
    );
  return ({ moment }) =>
    () =>
      wanted === "date" ? dateValue(BigInt(moment.nowMs)) : timestampValue(Math.floor(moment.nowMs / 1000), 1);
}

/** A rename is two places that change together; both count when conflicts are looked for. */
function compileRename(path: string, segments: readonly string[], argument: Value): Step[] {
  if (argument.type !== bsonType.string) throw badValue(`The 'to' field for $rename must be a string: ${path}`);
  const to = textOf(argument);
  const target = checkedPath(to);
  for (const segment of [...segments, ...target]) {
    if (segment.startsWith("$")) throw badValue(`The source and target field for $rename may not be dynamic: ${path}`);
  }
  if (to === path || to.startsWith(`${path}.`) || path.startsWith(`${to}.`)) {
    throw badValue(
      `The source and target field for $rename must differ and may not be on the same path: ${path}: "${to}"`,
    );
  }
  const nothing: Step = {
    path: to,
    segments: target,
    change: () => (current) => current,
    create: false,
    onlyOnInsert: false,
  };
  return [{ path, segments, change: () => () => undefined, create: false, onlyOnInsert: false, renameTo: to }, nothing];
}

function checkedPath(path: string): string[] {
  const segments = path.split(".");
  if (segments.includes(""))
    throw new EngineError(
      56,
      "EmptyFieldName",
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  if ((segments[0] as string).startsWith("$")) {
    throw segments[0] === "$" || segments[0]?.startsWith("$[") === true
      ? badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`)
      : new EngineError(
          52,
          "DollarPrefixedFieldName",
          `The dollar ($) prefixed field '${path}' is not allowed in the context of an update`,
        );
  }
  return segments;
}

/** Numbers by value, everything else by code units: the order new fields come in. */
function comparePaths(one: string, other: string): number {
  const left = one.split(".");
  const right = other.split(".");
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const [a, b] = [left[index] as string, right[index] as string];
    if (a === b) continue;
    if (/^\d+$/.test(a) && /^\d+$/.test(b)) return Number(a) - Number(b);
    return a < b ? -1 : 1;
  }
  return left.length - right.length;
}

function refuseConflicts(steps: readonly Step[]): void {
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    if (next !== undefined && (next.path === step.path || next.path.startsWith(`${step.path}.`))) {
      throw new EngineError(
        40,
        "ConflictingUpdateOperators",
        `Updating the path '${next.path}' would create a conflict at '${step.path}'`,
      );
    }
  }
}

function compileArrayFilters(arrayFilters: readonly Uint8Array[], steps: readonly Step[]): ReadonlyMap<string, Filter> {
  const filters = new Map<string, Filter>();
  for (const bytes of arrayFilters) {
    const names = new Set(identifiersOf(bytes));
    const [identifier] = names;
    if (identifier === undefined)
      throw failedToParse("Cannot use an expression without a top-level field name in arrayFilters");
    if (names.size > 1)
      throw failedToParse(
        `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${[...names].join("' and '")}'`,
      );
    if (!/^[a-z][A-Za-z0-9]*$/.test(identifier))
      throw badValue(
        `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${identifier}'`,
      );
    if (filters.has(identifier))
      throw failedToParse(`Found multiple array filters with the same top-level field name ${identifier}`);
    filters.set(identifier, compileFilter(bytes));
  }
  const used = new Set(
    steps
      .flatMap((step) => step.segments)
      .filter((segment) => /^\$\[.+\]$/.test(segment))
      .map((segment) => segment.slice(2, -1)),
  );
  for (const identifier of used)
    if (!filters.has(identifier)) throw badValue(`No array filter found for identifier '${identifier}'`);
  for (const identifier of filters.keys())
    if (!used.has(identifier))
      throw failedToParse(`The array filter for identifier '${identifier}' was not used in the update`);
  return filters;
}

function identifiersOf(bytes: Uint8Array): string[] {
  return [...fieldsOf(bytes)].flatMap(({ name, value }) =>
    name.startsWith("$") && value.type === bsonType.array
      ? elementsOf(value).flatMap((element) => identifiersOf(element.bytes()))
      : [name.split(".")[0] as string],
  );
}

function applyStep(
  root: MutableDocument,
  step: Step,
  run: UpdateRun,
  filters: ReadonlyMap<string, Filter>,
  document: Uint8Array,
): void {
  if (step.renameTo !== undefined) {
    const node = nodeAt(root, step.segments);
    if (node === undefined) return;
    const moved = toValue(node);
    changeAt(root, step.segments, () => undefined, false, step.path);
    changeAt(root, step.renameTo.split("."), () => moved, true, step.renameTo);
    return;
  }
  const change = step.change(run);
  for (const segments of placesOf(root, [], step.segments, step.path, run, filters, document))
    changeAt(root, segments, change, step.create, step.path);
}

/** Exact places of a path with `$`, `$[]` and `$[name]` in it. */
function placesOf(
  root: MutableDocument,
  before: readonly string[],
  after: readonly string[],
  path: string,
  run: UpdateRun,
  filters: ReadonlyMap<string, Filter>,
  document: Uint8Array,
): string[][] {
  const position = after.findIndex((segment) => segment === "$" || segment.startsWith("$["));
  if (position === -1) return [[...before, ...after]];
  const arrayPath = [...before, ...after.slice(0, position)];
  const rest = after.slice(position + 1);
  const segment = after[position] as string;
  const elements = arrayAt(root, arrayPath);
  if (segment === "$") {
    const index = positionalIndex(document, arrayPath, run.filter);
    if (index === undefined) throw badValue("The positional operator did not find the match needed from the query.");
    return placesOf(root, [...arrayPath, String(index)], rest, path, run, filters, document);
  }
  if (elements === undefined) {
    throw badValue(`The path '${arrayPath.join(".")}' must exist in the document in order to apply array updates.`);
  }
  const filter = segment === "$[]" ? undefined : filters.get(segment.slice(2, -1));
  const name = segment.slice(2, -1);
  return elements.flatMap((element, index) =>
    filter === undefined || filter.matches(buildDocument([[name, element]]))
      ? placesOf(root, [...arrayPath, String(index)], rest, path, run, filters, document)
      : [],
  );
}

/** The first element that alone in the array's place still lets the filter match: the one the query found. */
function positionalIndex(document: Uint8Array, arrayPath: readonly string[], filter: Filter): number | undefined {
  const elements = arrayAt(MutableDocument.of(document), arrayPath);
  if (elements === undefined) return undefined;
  for (const [index, element] of elements.entries()) {
    const alone = MutableDocument.of(document);
    changeAt(
      alone,
      arrayPath,
      (current) => (current === undefined ? current : arrayValue([element])),
      false,
      arrayPath.join("."),
    );
    if (filter.matches(alone.toBytes())) return index;
  }
  return undefined;
}

function refuseChangedId(before: Uint8Array, after: Uint8Array, inserting: boolean): void {
  const old = getField(before, "_id");
  const now = getField(after, "_id");
  if (inserting && old === undefined) return;
  if ((old === undefined) !== (now === undefined) || (old !== undefined && now !== undefined && !equalValues(old, now)))
    throw immutableId();
}

function immutableId(): EngineError {
  return new EngineError(
    66,
    "ImmutableField",
    "Performing an update on the path '_id' would modify the immutable field '_id'",
  );
}
