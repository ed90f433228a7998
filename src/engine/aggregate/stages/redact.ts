import { located } from "../../engine-error.ts";
import { arrayValue, DocumentBuilder } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, stringValue, Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Flow } from "../../query/flow.ts";
import { type Variable, withVariables } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { Work } from "../../steps.ts";
import type { StageFactory } from "../stage.ts";

/** What the expression may come to; they are told apart by identity, so that no document can hold them. */
const descend = stringValue("descend");
const prune = stringValue("prune");
const keep = stringValue("keep");

export const $redact: StageFactory = (argument, { expressions }) => {
  const root: Variable = { value: undefined };
  const decide = compileExpression(
    argument,
    withVariables(expressions, [
      ["DESCEND", { value: descend }],
      ["KEEP", { value: keep }],
      ["PRUNE", { value: prune }],
      ["ROOT", root],
    ]),
  );
  const redacted = (document: Value): Value | undefined => {
    const decision = decide(document);
    if (decision === keep) return document;
    if (decision === prune) return undefined;
    if (decision !== descend)
      throw located(
        17_053,
        "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE",
      );
    const builder = new DocumentBuilder();
    for (const { name, value } of fieldsOfValue(document)) {
      const inner = redactedWithin(value);
      if (inner !== undefined) builder.append(name, inner);
    }
    return new Value(bsonType.object, builder.finish());
  };
  const redactedWithin = (value: Value): Value | undefined => {
    if (value.type === bsonType.object) return redacted(value);
    if (value.type !== bsonType.array) return value;
    return arrayValue(elementsOf(value).flatMap((element) => redactedWithin(element) ?? []));
  };
  return function* redact(flow: Flow): Flow {
    const work = new Work(redacted);
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      const whole = documentValue(document);
      root.value = whole;
      const result = yield* work.pausing(whole);
      if (result !== undefined) yield result.bytes();
    }
  };
};
