import { arrayValue, buildDocument, compileFilter, documentValue, EngineError } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { describeOperations, mayActOnOthers } from "./describe-operation.ts";

/** `currentOp`: what runs now. Fields beside `$all` and `$ownOps` are conditions on what is shown (manual, "currentOp"). */
export const currentOp = defineCommand({
  name: "currentOp",
  action: "any",
  adminOnly: true,
  run: async (parameters, context) => {
    const ownOnly = parameters.flag("$ownOps");
    // Connections at rest are not operations here, so there is nothing more to show.
    parameters.ignore("$all");
    if (!ownOnly && !mayActOnOthers(context, "monitor"))
      throw new EngineError(13, "Unauthorized", "not authorized on admin to execute command { currentOp: 1 }");
    const filter = await compileFilter(buildDocument(parameters.rest()));
    const shown = describeOperations(context, ownOnly).filter((operation) => filter.matches(operation));
    return [["inprog", arrayValue(shown.map(documentValue))]];
  },
});
