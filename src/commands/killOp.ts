import { EngineError, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { isOwn, mayActOnOthers } from "./describe-operation.ts";
import { interrupt } from "./operation-registry.ts";

/** `killOp`: stops what runs under a number of `currentOp`. One that has ended meanwhile is fine (manual, "killOp"). */
export const killOp = defineCommand({
  name: "killOp",
  action: "any",
  adminOnly: true,
  run: async (parameters, context) => {
    const id = parameters.whole("op", Number.MIN_SAFE_INTEGER);
    parameters.rejectUnknown();
    if (id === undefined)
      throw new EngineError(40_414, "Location40414", `BSON field 'killOp.op' is missing but a required field`);
    const operation = context.server.operations.find(id);
    // Who may not stop it learns no more than that it may not, whether it is there or not.
    if (!mayActOnOthers(context, "killOperation") && (operation === undefined || !isOwn(context, operation)))
      throw new EngineError(13, "Unauthorized", "Unauthorized");
    if (operation !== undefined) interrupt(operation);
    return [["info", stringValue("attempting to kill op")]];
  },
});
