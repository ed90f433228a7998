import { EngineError } from "../engine-error.ts";
import { allElements, arrayOf, mappedList } from "../bson/arrays.ts";
import { buildDocument } from "../bson/builder.ts";
import { bsonType, typeName } from "../bson/types.ts";
import { documentValue, nullValue, Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";

/** A value, or a container that was opened to be changed. What is never opened stays the bytes it was. */
export type Node = Value | MutableDocument | MutableArray;

/** Most elements an assignment past the end of an array may add. */
const backfillMax = 1_500_000;

interface Entry {
  readonly name: string;
  /** Undefined once the field was removed. */
  node: Node | undefined;
}

/** A document opened for change; fields keep their order, new ones come last. Of duplicate names the first is meant. */
export class MutableDocument {
  readonly #entries: Entry[];
  /** Made at the first look-up by name. */
  #known: Map<string, Entry> | undefined;
  #duplicates = false;
  #first: string | undefined;

  constructor(entries: Iterable<readonly [string, Node]>) {
    this.#entries = Array.from(entries, ([name, node]) => ({ name, node }));
  }

  static of(bytes: Uint8Array): MutableDocument {
    return new MutableDocument(Array.from(fieldsOf(bytes), ({ name, value }) => [name, value] as const));
  }

  get(name: string): Node | undefined {
    return this.#entry(name)?.node;
  }

  set(name: string, node: Node): void {
    const entry = this.#entry(name);
    if (entry !== undefined) {
      entry.node = node;
      return;
    }
    const added = { name, node };
    this.#entries.push(added);
    this.#known?.set(name, added);
  }

  remove(name: string): void {
    const entry = this.#entry(name);
    if (entry === undefined) return;
    entry.node = undefined;
    this.#known?.delete(name);
    // A duplicate of the name comes to light.
    const next = this.#duplicates
      ? this.#entries.find((one) => one.name === name && one.node !== undefined)
      : undefined;
    if (next !== undefined) this.#known?.set(name, next);
  }

  /** Moves a field before all others. */
  putFirst(name: string): void {
    this.#first = name;
  }

  toBytes(): Uint8Array {
    const fields = this.#entries.flatMap(({ name, node }) =>
      node === undefined ? [] : [[name, toValue(node)] as const],
    );
    if (this.#first === undefined) return buildDocument(fields);
    const isFirst = ([name]: readonly [string, Value]): boolean => name === this.#first;
    return buildDocument([...fields.filter(isFirst), ...fields.filter((field) => !isFirst(field))]);
  }

  #entry(name: string): Entry | undefined {
    if (this.#known === undefined) {
      this.#known = new Map();
      for (const entry of this.#entries) {
        if (this.#known.has(entry.name)) this.#duplicates = true;
        else this.#known.set(entry.name, entry);
      }
    }
    return this.#known.get(name);
  }
}

/** An array opened for change. */
export class MutableArray {
  readonly elements: Node[];

  constructor(elements: Node[]) {
    this.elements = elements;
  }
}

/** The node as a value again. */
export function toValue(node: Node): Value {
  if (node instanceof MutableDocument) return documentValue(node.toBytes());
  if (node instanceof MutableArray) return arrayOf(mappedList(node.elements, toValue));
  return node;
}

/** Opens a container; undefined when the node is none. */
function open(node: Node): MutableDocument | MutableArray | undefined {
  if (!(node instanceof Value)) return node;
  if (node.type === bsonType.object) return MutableDocument.of(node.bytes());
  return node.type === bsonType.array ? new MutableArray([...allElements(node)]) : undefined;
}

/** What becomes of the value at a place; `undefined` stands for a place that holds nothing. */
export type Change = (current: Value | undefined) => Value | undefined;

/** Changes the value at exact segments (no positional ones left). With `create`, missing parents are made; else a missing place is left alone. */
export function changeAt(
  container: MutableDocument | MutableArray,
  segments: readonly string[],
  change: Change,
  create: boolean,
  path: string,
): void {
  const name = segments[0] as string;
  const current = childOf(container, name, path, create);
  if (segments.length === 1) {
    const before = current === undefined ? undefined : toValue(current);
    const after = change(before);
    if (after === before) return;
    if (after === undefined) removeChild(container, name);
    else setChild(container, name, after, path);
    return;
  }
  if (current === undefined) {
    if (!create) return;
    const made = new MutableDocument([]);
    changeAt(made, segments.slice(1), change, true, path);
    setChild(container, name, made, path);
    return;
  }
  const opened = open(current);
  if (opened === undefined) {
    if (!create) return;
    throw notViable(segments[1] as string, name, toValue(current));
  }
  changeAt(opened, segments.slice(1), change, create, path);
  if (opened !== current) setChild(container, name, opened, path);
}

/** The node at exact segments from a container on, without changing anything. */
export function nodeAt(container: Node, segments: readonly string[]): Node | undefined {
  let node: Node | undefined = container;
  for (const segment of segments) {
    const opened: MutableDocument | MutableArray | undefined = node === undefined ? undefined : open(node);
    if (opened === undefined) return undefined;
    node = opened instanceof MutableDocument ? opened.get(segment) : opened.elements[indexOf(segment) ?? -1];
  }
  return node;
}

/** Elements of an array; undefined when the node is none. */
export function elementsAt(node: Node | undefined): readonly Node[] | undefined {
  const opened = node === undefined ? undefined : open(node);
  return opened instanceof MutableArray ? opened.elements : undefined;
}

function childOf(
  container: MutableDocument | MutableArray,
  name: string,
  path: string,
  create: boolean,
): Node | undefined {
  if (container instanceof MutableDocument) return container.get(name);
  const index = indexOf(name);
  if (index !== undefined) return container.elements[index];
  if (!create) return undefined;
  throw new EngineError(28, "PathNotViable", `Cannot create field '${name}' in element of an array (path '${path}')`);
}

function setChild(container: MutableDocument | MutableArray, name: string, node: Node, path: string): void {
  if (container instanceof MutableDocument) {
    container.set(name, node);
    return;
  }
  const index = indexOf(name);
  if (index === undefined)
    throw new EngineError(28, "PathNotViable", `Cannot create field '${name}' in element of an array (path '${path}')`);
  if (index - container.elements.length > backfillMax)
    throw new EngineError(2, "BadValue", `can't backfill more than ${backfillMax} elements`);
  while (container.elements.length < index) container.elements.push(nullValue);
  container.elements[index] = node;
}

/** An array keeps its length: what is unset in it becomes null. */
function removeChild(container: MutableDocument | MutableArray, name: string): void {
  if (container instanceof MutableDocument) container.remove(name);
  else {
    const index = indexOf(name);
    if (index !== undefined && index < container.elements.length) container.elements[index] = nullValue;
  }
}

function indexOf(name: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : undefined;
}

function notViable(field: string, parent: string, value: Value): EngineError {
  return new EngineError(
    28,
    "PathNotViable",
    `Cannot create field '${field}' in element {${parent}: ...} of type ${typeName(value.type)}`,
  );
}
