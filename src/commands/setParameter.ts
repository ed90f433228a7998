import { EngineError } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { serverParameters } from "./server-parameters.ts";

/** `setParameter`: no parameter can be changed while the server runs; says so, or that there is none of the name. */
export const setParameter = defineCommand({
  name: "setParameter",
  action: "databaseAdmin",
  adminOnly: true,
  run: async (parameters, { server }) => {
    const [first] = parameters.rest();
    if (first === undefined)
      throw new EngineError(72, "InvalidOptions", "no option found to set, use help:true to see options ");
    const [name] = first;
    if (serverParameters(server).has(name))
      throw new EngineError(20, "IllegalOperation", `not allowed to change [${name}] at runtime`);
    throw new EngineError(
      72,
      "InvalidOptions",
      `attempted to set unrecognized parameter [${name}], use help:true to see options `,
    );
  },
});
