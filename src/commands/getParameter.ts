import { bsonType, EngineError, textOf } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { serverParameters } from "./server-parameters.ts";

/** `getParameter`: those that are named, or all by `*`. Names that are not known are passed over where another is known (manual, "getParameter"). */
export const getParameter = defineCommand({
  name: "getParameter",
  action: "monitor",
  adminOnly: true,
  run: async (parameters, { server }) => {
    parameters.refuse("showDetails");
    const { main } = parameters;
    const all = main.type === bsonType.string && textOf(main) === "*";
    const found = [...serverParameters(server)].filter(([name]) => parameters.get(name) !== undefined || all);
    if (found.length === 0) throw new EngineError(72, "InvalidOptions", "no option found to get");
    return found;
  },
});
