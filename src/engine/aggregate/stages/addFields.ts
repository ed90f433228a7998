import { located } from "../../engine-error.ts";
import { fieldPathOf } from "../../bson/field-name.ts";
import { arrayValue } from "../../bson/builder.ts";
import { textBytes } from "../../bson/bytes.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { mapped } from "../../query/flow.ts";
import { MutableDocument, toValue } from "../../update/mutable.ts";
import { withChangedFields } from "../changed-fields.ts";
import type { Expression } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { objectOf, type StageFactory, type StagePlace } from "../stage.ts";

interface Addition {
  readonly segments: readonly string[];
  readonly expression: Expression;
}

/** `$addFields`, and `$set`, its other name. */
export const $addFields: StageFactory = (argument, place) => {
  const fields = [...fieldsOf(objectOf(argument, place.name, 40_272))];
  if (fields.length === 0)
    throw located(40_177, `Invalid ${place.name} :: caused by :: specification must have at least one field`);
  const additions = fields.flatMap(({ name, value }) => additionsOf(name, value, place));
  refuseCollisions(additions);
  const plain = additions.map(({ segments: [name = ""], expression }) => ({ name: textBytes(name), expression }));
  if (additions.every(({ segments }) => segments.length === 1))
    return (flow) =>
      mapped(flow, (document) => {
        const whole = documentValue(document);
        return withChangedFields(
          document,
          plain.map(({ name, expression }) => ({ name, value: expression(whole) })),
        );
      });
  return (flow) =>
    mapped(flow, (document) => {
      const whole = documentValue(document);
      const root = MutableDocument.of(document);
      for (const { segments, expression } of additions) addAt(root, segments, expression(whole));
      return root.toBytes();
    });
};

/** `{a: {b: 1}}` adds `a.b`; only an operator makes a document an expression. */
function additionsOf(path: string, value: Value, place: StagePlace): Addition[] {
  const segments = fieldPathOf(path);
  if (value.type === bsonType.object) {
    const fields = [...fieldsOfValue(value)];
    const [first] = fields;
    if (first === undefined)
      throw located(40_180, `an empty object is not a valid value. Found empty object for field '${path}'`);
    if (!first.name.startsWith("$"))
      return fields.flatMap(({ name, value: inner }) => {
        if (name.includes(".")) throw located(40_183, `cannot use dotted field name '${name}' in a sub object`);
        return additionsOf(`${path}.${name}`, inner, place);
      });
  }
  return [{ segments, expression: compileExpression(value, place.expressions) }];
}

function refuseCollisions(additions: readonly Addition[]): void {
  const whole = new Set<string>();
  for (const { segments } of additions) {
    const path = segments.join(".");
    if (whole.has(path)) throw collision(path, path);
    whole.add(path);
  }
  for (const { segments } of additions)
    for (let length = 1; length < segments.length; length += 1) {
      const parent = segments.slice(0, length).join(".");
      if (whole.has(parent)) throw collision(segments.join("."), parent);
    }
}

function collision(one: string, other: string): Error {
  return located(
    40_176,
    `Invalid $addFields :: caused by :: specification contains two conflicting paths. Cannot specify both '${one}' and '${other}'`,
  );
}

/** Adds into every document of an array on the way; what is no document is replaced by one. */
export function addAt(root: MutableDocument, segments: readonly string[], value: Value | undefined): void {
  const [name, ...rest] = segments as [string, ...string[]];
  if (rest.length === 0) {
    if (value === undefined) root.remove(name);
    else root.set(name, value);
    return;
  }
  const current = root.get(name);
  const stored = current === undefined ? undefined : toValue(current);
  root.set(name, addInto(stored, rest, value));
}

function addInto(stored: Value | undefined, segments: readonly string[], value: Value | undefined): Value {
  if (stored?.type === bsonType.array)
    return arrayValue(elementsOf(stored).map((element) => addInto(element, segments, value)));
  const inner = stored?.type === bsonType.object ? MutableDocument.of(stored.bytes()) : new MutableDocument([]);
  addAt(inner, segments, value);
  return toValue(inner);
}

/** The document with a value added at a path. */
export function withAdded(document: Uint8Array, segments: readonly string[], value: Value | undefined): Uint8Array {
  const [name = "", more] = segments;
  if (more === undefined) return withChangedFields(document, [{ name: textBytes(name), value }]);
  const root = MutableDocument.of(document);
  addAt(root, segments, value);
  return root.toBytes();
}
