import { located } from "../../engine-error.ts";
import { DocumentBuilder } from "../../bson/builder.ts";
import { textBytes } from "../../bson/bytes.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { documentValue, nullValue, type Value } from "../../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { type Flow, heldMaxBytes, memoryLimit } from "../../query/flow.ts";
import { type Accumulator, detached } from "../accumulators/accumulator.ts";
import { accumulatorNamed } from "../accumulators/index.ts";
import type { Expression, ExpressionContext } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { GroupKeys } from "../group-keys.ts";
import { paused, Work } from "../../steps.ts";
import { type Group, SpilledGroups } from "../spilled-groups.ts";
import { objectOf, roomOf, type Stage, type StageFactory, type StagePlace } from "../stage.ts";

/** A field of the groups' documents. */
export interface Output {
  readonly name: Uint8Array;
  readonly create: (group: Value) => Accumulator;
}

export const $group: StageFactory = (argument, place) => {
  const fields = [...fieldsOf(objectOf(argument, place.name, 15_947))];
  let id: Expression | undefined;
  const outputs: Output[] = [];
  for (const { name, value } of fields) {
    if (name !== "_id") outputs.push(compileOutput(name, value, place.expressions));
    else if (id === undefined) id = compileExpression(value, place.expressions);
    else throw located(15_948, "a group's _id may only be specified once");
  }
  if (id === undefined) throw located(15_955, "a group specification must include an _id");
  return grouping(id, outputs, place);
};

/**
 * Groups documents by a value, and gives one document for each group. What does not fit into memory is laid on the disk, and the groups then come in no order of arrival;
 * without a disk throws 292.
 */
export function grouping(
  idOf: Expression,
  outputs: readonly Output[],
  place: Pick<StagePlace, "source" | "expressions" | "name">,
): Stage {
  const { name, expressions } = place;
  const room = roomOf(place);
  const create = (id: Value): readonly Accumulator[] => outputs.map((output) => output.create(id));
  return function* group(flow: Flow): Flow {
    let groups = new GroupKeys<Group>(expressions);
    let spilled: SpilledGroups | undefined;
    const idWork = new Work(idOf);
    let accumulator: Accumulator;
    const addWork = new Work((root: Value) => accumulator.add(root));
    let bytes = 0;
    try {
      for (const document of flow) {
        if (document === undefined) {
          yield undefined;
          continue;
        }
        const root = documentValue(document);
        let idFound = idWork.run(root);
        for (; idFound === paused; idFound = idWork.run(root)) yield undefined;
        const id = idFound ?? nullValue;
        let found = groups.get(id);
        if (found === undefined) {
          const own = detached(id);
          found = { id: own, accumulators: create(own) };
          bytes += groups.add(own, found) + 100 * (outputs.length + 1);
        }
        for (accumulator of found.accumulators) {
          let grown = addWork.run(root);
          for (; grown === paused; grown = addWork.run(root)) yield undefined;
          bytes += grown;
        }
        if (bytes <= heldMaxBytes(room)) continue;
        if (room.openFile === undefined) throw memoryLimit(name, room);
        spilled ??= new SpilledGroups(room.openFile(), name, room, expressions, create);
        yield* spilled.write(groups.values());
        [groups, bytes] = [new GroupKeys(expressions), 0];
      }
      if (spilled === undefined) yield* documentsOf(groups.values(), outputs);
      else {
        yield* spilled.write(groups.values());
        groups = new GroupKeys(expressions);
        yield* documentsOf(spilled.groups(), outputs);
      }
    } finally {
      spilled?.close();
    }
  };
}

/** One document for each group. */
function* documentsOf(groups: Iterable<Group | undefined>, outputs: readonly Output[]): Flow {
  const result = new Work((accumulator: Accumulator) => accumulator.result());
  let given = 0;
  for (const group of groups) {
    given += 1;
    if (given % 1000 === 0) yield undefined;
    if (group === undefined) {
      yield undefined;
      continue;
    }
    const builder = new DocumentBuilder().appendBytes(idName, group.id);
    for (const [position, output] of outputs.entries()) {
      const value = yield* result.pausing(group.accumulators[position] as Accumulator);
      if (value !== undefined) builder.appendBytes(output.name, value);
    }
    yield builder.finish();
  }
}

const idName = textBytes("_id");

/** `{name: {$accumulator: argument}}`. */
export function compileOutput(name: string, value: Value, context: ExpressionContext): Output {
  if (name.includes(".")) throw located(40_235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith("$")) throw located(40_236, `The field name '${name}' cannot be an operator name`);
  if (value.type !== bsonType.object) throw located(40_234, `The field '${name}' must be an accumulator object`);
  const [field, more] = [...fieldsOfValue(value)];
  if (field === undefined) throw located(40_234, `The field '${name}' must be an accumulator object`);
  if (more !== undefined) throw located(40_238, `The field '${name}' must specify one accumulator`);
  if (!field.name.startsWith("$"))
    throw located(40_234, `The field '${name}' must be an accumulator object, not ${typeName(value.type)}`);
  const operator = accumulatorNamed(field.name);
  if (field.value.type === bsonType.array) throw located(40_237, `The ${field.name} accumulator is a unary operator`);
  const create = operator(field.value, {
    name: field.name,
    context,
    compile: (inner) => compileExpression(inner, context),
  });
  return { name: textBytes(name), create };
}
