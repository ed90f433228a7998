import { located } from "../../engine-error.ts";
import { emptyDocument } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import type { Flow } from "../../query/flow.ts";
import { compileExpression } from "../expression.ts";
import { Work } from "../../steps.ts";
import type { StageFactory } from "../stage.ts";

/** Documents that an expression gives, which may use the variables in sight and no document. */
export const $documents: StageFactory = (argument, { expressions }) => {
  const expression = compileExpression(argument, expressions);
  return function* documents(): Flow {
    const list = yield* new Work(expression).pausing(documentValue(emptyDocument));
    if (list?.type !== bsonType.array) throw located(5_858_203, "an array is expected");
    let given = 0;
    for (const document of elementsOf(list)) {
      if (document.type !== bsonType.object) throw located(40_228, "$documents must be an array of objects");
      yield document.bytes();
      given += 1;
      if (given % 64 === 0) yield undefined;
    }
  };
};
