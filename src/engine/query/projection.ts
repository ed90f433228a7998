import { located } from "../engine-error.ts";
import { allElements, arrayOf, mappedList } from "../bson/arrays.ts";
import { arrayValue, DocumentBuilder } from "../bson/builder.ts";
import { checkFieldName, dollarName } from "../bson/field-name.ts";
import { toNumber } from "../bson/numbers.ts";
import { refuseDeepPath } from "../bson/path.ts";
import { bsonType, isNumberType } from "../bson/types.ts";
import { boolOf, documentValue, type Value } from "../bson/value.ts";
import { elementsOf, type Field, fieldsOf, fieldsOfValue, getField } from "../bson/walk.ts";
import { findElement } from "./element-search.ts";
import { compileElemMatchProjection, type Filter } from "./filter.ts";
import { compilePlainProjection } from "./plain-projection.ts";
import { checkedPositionalPath, isPositionalPath, keepMatchedElement } from "./positional-projection.ts";
import type { CompileExpression } from "./tests.ts";

/** A projection made ready: gives the projected bytes of a document. */
export type Projection = (document: Uint8Array) => Uint8Array;

export interface ProjectionOptions {
  readonly compileExpression?: CompileExpression | undefined;
  readonly variables?: Uint8Array | undefined;
  /** The filter that chose the documents; the positional `$` asks it which element was met. */
  readonly filter?: Pick<Filter, "positionOf"> | undefined;
  /** `find` knows `$slice` and `$elemMatch`; `$project` has expressions of these names. */
  readonly find: boolean;
}

interface Node {
  /** What happens to the field itself; undefined when only what is below it counts. */
  rule: "include" | "exclude" | ((document: Uint8Array, value: Value | undefined) => Value | undefined) | undefined;
  readonly children: Map<string, Node>;
  /** Computed fields are added when missing. */
  computed: boolean;
}

/** Compiles a projection (manual, "Project Fields to Return from Query" and "$project"). Throws 31249, 31250, 31253, 31254 and others. */
export function compileProjection(specification: Uint8Array, options: ProjectionOptions): Projection {
  const root: Node = { rule: undefined, children: new Map(), computed: false };
  let mode: "include" | "exclude" | undefined;
  let includeId: boolean | undefined;
  let hasComputed = false;
  let hasElemMatch = false;
  let positional: readonly string[] | undefined;
  const decide = (wanted: "include" | "exclude", path: string): void => {
    if (mode !== undefined && mode !== wanted) {
      throw wanted === "exclude"
        ? located(31254, `Cannot do exclusion on field ${path} in inclusion projection`)
        : located(31253, `Cannot do inclusion on field ${path} in exclusion projection`);
    }
    mode = wanted;
  };
  const add = (path: string, value: Value): void => {
    if (path === "_id" && isFlag(value)) {
      includeId = flag(value);
      return;
    }
    if (isFlag(value)) {
      decide(flag(value) ? "include" : "exclude", path);
      place(root, path, flag(value) ? "include" : "exclude", false);
      return;
    }
    const special = options.find && value.type === bsonType.object ? findOperator(value) : undefined;
    const slice = special?.name === "$slice" ? sliceRule(special.value) : undefined;
    if (slice !== undefined) {
      place(root, path, slice, false);
      return;
    }
    if (special?.name === "$elemMatch") {
      if (path.includes(".")) throw located(31275, "Cannot use $elemMatch projection on a nested field");
      if (positional !== undefined) throw located(31256, "Cannot specify positional operator and $elemMatch");
      decide("include", path);
      hasElemMatch = true;
      // The manual says that the field comes after the others that are included.
      place(root, path, elemMatchRule(path, special.value), true);
      return;
    }
    if (value.type === bsonType.object && !isOperator(value)) {
      const fields = [...fieldsOfValue(value)];
      if (fields.length === 0)
        throw located(51270, `An empty sub-projection is not a valid value. Found empty object at path ${path}`);
      for (const field of fields) {
        if (field.name === "" || field.name.startsWith("$"))
          throw located(16410, "Unrecognized expression in projection");
        add(`${path}.${field.name}`, field.value);
      }
      return;
    }
    if (options.compileExpression === undefined) throw located(31325, `Unknown expression in projection at ${path}`);
    const evaluate = options.compileExpression(value, options.variables);
    decide("include", path);
    hasComputed = true;
    place(root, path, (document) => evaluate(document), true);
  };
  for (const field of fieldsOf(specification)) {
    if (field.name === "") throw located(40352, "FieldPath cannot be constructed with empty string");
    if (field.name.startsWith("$")) throw dollarName();
    if (!isPositionalPath(field.name)) {
      add(field.name, field.value);
      continue;
    }
    const path = checkedPositionalPath(field, options);
    if (positional !== undefined) throw located(31276, "Cannot specify more than one positional projection per query.");
    if (hasElemMatch) throw located(31256, "Cannot specify positional operator and $elemMatch");
    decide("include", path);
    place(root, path, "include", false);
    positional = path.split(".");
  }
  if (mode === undefined) {
    if (includeId === undefined && root.children.size === 0) return (document) => document;
    mode = includeId === true && !hasComputed && root.children.size === 0 ? "include" : "exclude";
  }
  const keepId = includeId ?? true;
  const including = mode === "include";
  const isPlain = [...root.children.values()].every(({ rule }) => rule === "include" || rule === "exclude");
  const project: Projection =
    isPlain && !root.children.has("_id")
      ? compilePlainProjection([...root.children.keys()], including, keepId)
      : (document) => projectRoot(document, root, including, keepId);
  const { filter } = options;
  const segments = positional;
  if (segments === undefined || filter === undefined) return project;
  return (document) => keepMatchedElement(project(document), segments, filter.positionOf(document));
}

/** The value copied along a path, with parents added where missing: what `$addFields` does is built from the same parts. */
function place(root: Node, path: string, rule: Node["rule"], computed: boolean): void {
  const segments = path.split(".");
  refuseDeepPath(segments);
  let node = root;
  for (const [index, name] of segments.entries()) {
    checkFieldName(name);
    if (node.rule !== undefined)
      throw located(31249, `Path collision at ${path} remaining portion ${segments.slice(index).join(".")}`);
    let child = node.children.get(name);
    if (child === undefined) {
      child = { rule: undefined, children: new Map(), computed };
      node.children.set(name, child);
    }
    node = child;
  }
  if (node.rule !== undefined || node.children.size > 0)
    throw located(node.children.size > 0 ? 31250 : 31249, `Path collision at ${path}`);
  node.rule = rule;
  node.computed = computed;
}

function projectRoot(document: Uint8Array, root: Node, including: boolean, keepId: boolean): Uint8Array {
  const builder = new DocumentBuilder();
  const done = new Set<string>();
  for (const { name, value } of fieldsOf(document)) {
    if (name === "_id" && !root.children.has("_id")) {
      if (keepId) builder.append(name, value);
      continue;
    }
    projectField(builder, document, name, value, root, including, done);
  }
  addComputed(builder, document, root, done);
  return builder.finish();
}

function projectField(
  builder: DocumentBuilder,
  document: Uint8Array,
  name: string,
  value: Value,
  node: Node,
  including: boolean,
  done: Set<string>,
): void {
  const child = node.children.get(name);
  if (child === undefined) {
    if (!including) builder.append(name, value);
    return;
  }
  if (typeof child.rule === "function") {
    // Computed fields of an inclusion come after the document's own, in the order of the specification.
    if (child.computed && including) return;
    const result = child.rule(document, value);
    if (result !== undefined) builder.append(name, result);
    done.add(name);
    return;
  }
  if (child.rule === "include") builder.append(name, value);
  if (child.rule === undefined) {
    const result = projectInner(document, value, child, including);
    if (result !== undefined) builder.append(name, result);
  }
  done.add(name);
}

function projectInner(document: Uint8Array, value: Value, node: Node, including: boolean): Value | undefined {
  if (value.type === bsonType.object) {
    const builder = new DocumentBuilder();
    const done = new Set<string>();
    for (const field of fieldsOfValue(value))
      projectField(builder, document, field.name, field.value, node, including, done);
    addComputed(builder, document, node, done);
    const bytes = builder.finish();
    return documentValue(bytes);
  }
  if (value.type === bsonType.array) {
    const elements = mappedList(allElements(value), (element) => projectInner(document, element, node, including));
    return arrayOf(elements.filter((element): element is Value => element !== undefined));
  }
  if (!including) return value;
  return hasComputedBelow(node) ? projectInner(document, emptyObject(), node, including) : undefined;
}

function addComputed(builder: DocumentBuilder, document: Uint8Array, node: Node, done: ReadonlySet<string>): void {
  for (const [name, child] of node.children) {
    if (done.has(name)) continue;
    if (typeof child.rule === "function") {
      const result = child.computed ? child.rule(document, undefined) : undefined;
      if (result !== undefined) builder.append(name, result);
    } else if (child.rule === undefined && hasComputedBelow(child)) {
      const result = projectInner(document, emptyObject(), child, true);
      if (result !== undefined) builder.append(name, result);
    }
  }
}

function hasComputedBelow(node: Node): boolean {
  return [...node.children.values()].some((child) =>
    typeof child.rule === "function" ? child.computed : hasComputedBelow(child),
  );
}

function emptyObject(): Value {
  const bytes = Uint8Array.of(5, 0, 0, 0, 0);
  return documentValue(bytes);
}

function isFlag(value: Value): boolean {
  return value.type === bsonType.bool || isNumberType(value.type);
}

function flag(value: Value): boolean {
  return value.type === bsonType.bool ? boolOf(value) : toNumber(value) !== 0;
}

function isOperator(value: Value): boolean {
  const first = fieldsOfValue(value).next();
  return first.done !== true && first.value.name.startsWith("$");
}

/** The one operator of `find` in a projection's value. */
function findOperator(value: Value): Field | undefined {
  const [field, more] = [...fieldsOfValue(value)];
  return more === undefined && (field?.name === "$slice" || field?.name === "$elemMatch") ? field : undefined;
}

function elemMatchRule(name: string, condition: Value): (document: Uint8Array) => Value | undefined {
  if (condition.type !== bsonType.object) throw located(31274, "elemMatch: Invalid argument, object required");
  const fits = compileElemMatchProjection(condition);
  return (document) => {
    const stored = getField(document, name);
    if (stored?.type !== bsonType.array) return undefined;
    const found = elementsOf(stored)[findElement(stored, (element) => fits(element))];
    return found === undefined ? undefined : arrayValue([found]);
  };
}

/** `$slice` of `find`: a number, or `[skip, limit]`. Undefined for anything else, which is the expression of that name (manual, "$slice (projection)"). */
function sliceRule(value: Value): NonNullable<Node["rule"]> | undefined {
  const given = value.type === bsonType.array ? elementsOf(value) : [value];
  if (!given.every(({ type }) => isNumberType(type)) || given.length !== (value.type === bsonType.array ? 2 : 1))
    return undefined;
  const [first, second] = given.map(clampedInt32) as [number, number?];
  if (second !== undefined && second <= 0) return undefined;
  return (_document, stored) => {
    if (stored?.type !== bsonType.array) return stored;
    const elements = elementsOf(stored);
    if (second === undefined) return arrayValue(first >= 0 ? elements.slice(0, first) : elements.slice(first));
    const start = first >= 0 ? first : Math.max(0, elements.length + first);
    return arrayValue(elements.slice(start, start + second));
  };
}

/** A number as 32 bits hold it, cut at its point. */
function clampedInt32(value: Value): number {
  const number = Math.trunc(toNumber(value));
  return Number.isNaN(number) ? 0 : Math.min(2_147_483_647, Math.max(-2_147_483_648, number));
}
