import { badValue, EngineError } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";
import { changeAt, type MutableDocument, nodeAt, toValue } from "../mutable.ts";
import { isPositional, segmentsOf } from "../paths.ts";

/** `$rename`: where the value of a path goes. Throws 2 BadValue for targets that do not fit. */
export function $rename(argument: Value, path: string): readonly string[] {
  if (argument.type !== bsonType.string) throw badValue(`The 'to' field for $rename must be a string: ${path}`);
  const to = textOf(argument);
  if (to.includes("\0")) throw badValue("The 'to' field for $rename cannot contain an embedded null byte");
  const source = segmentsOf(path);
  const target = segmentsOf(to);
  if (source.some(isPositional)) throw badValue(`The source field for $rename may not be dynamic: ${path}`);
  if (target.some(isPositional)) throw badValue(`The destination field for $rename may not be dynamic: ${to}`);
  if (to === path) throw badValue(`The source and target field for $rename must differ: ${path}: "${to}"`);
  if (to.startsWith(`${path}.`) || path.startsWith(`${to}.`))
    throw badValue(`The source and target field for $rename must not be on the same path: ${path}: "${to}"`);
  return target;
}

/** Moves a value; nothing is done when it is not there. Throws 28 PathNotViable, and 2 BadValue when an array is on the way: its elements have no names. */
export function moveField(root: MutableDocument, from: readonly string[], to: readonly string[]): void {
  checkWay(root, from, "source");
  const node = nodeAt(root, from);
  if (node === undefined) return;
  checkWay(root, to, "destination");
  const moved = toValue(node);
  changeAt(root, from, () => undefined, false, from.join("."));
  changeAt(root, to, () => moved, true, to.join("."));
}

/** A value in the way is an error even when nothing would be moved. */
function checkWay(root: MutableDocument, path: readonly string[], name: string): void {
  for (let length = 1; length < path.length; length += 1) {
    const node = nodeAt(root, path.slice(0, length));
    if (node === undefined) return;
    const { type } = toValue(node);
    if (type === bsonType.array)
      throw badValue(
        `The ${name} field cannot be an array element, '${path.join(".")}' has an array field called '${path[length - 1]}'`,
      );
    if (type !== bsonType.object)
      throw new EngineError(
        28,
        "PathNotViable",
        `Cannot create field '${path[length]}' in element {${path[length - 1]}: ...} of type ${typeName(type)}`,
      );
  }
}
