import { located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { mapped } from "../../query/flow.ts";
import { compileExpression } from "../expression.ts";
import { typeOf } from "../operators/operator.ts";
import type { Stage, StageFactory, StagePlace } from "../stage.ts";

export const $replaceRoot: StageFactory = (argument, place) => {
  if (argument.type !== bsonType.object)
    throw located(40_229, `expected an object as specification for $replaceRoot stage, got ${typeOf(argument)}`);
  let newRoot: Value | undefined;
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name !== "newRoot")
      throw located(40_230, `unrecognized option to $replaceRoot stage: ${name}, only valid option is 'newRoot'.`);
    newRoot = value;
  }
  if (newRoot === undefined) throw located(40_231, "no newRoot specified for the $replaceRoot stage");
  return replacing(newRoot, place, "'newRoot' expression ");
};

export const $replaceWith: StageFactory = (argument, place) => replacing(argument, place, "'replacement document' ");

function replacing(newRoot: Value, { expressions }: StagePlace, what: string): Stage {
  const expression = compileExpression(newRoot, expressions);
  return (flow) =>
    mapped(flow, (document) => {
      const root = expression(documentValue(document));
      if (root?.type !== bsonType.object)
        throw located(40_228, `${what}must evaluate to an object, but resulting value was of type: ${typeOf(root)}`);
      return root.bytes().slice();
    });
}
