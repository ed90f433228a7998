import { notSupported } from "../../engine-error.ts";
import * as arithmetic from "./arithmetic.ts";
import * as array from "./array.ts";
import * as boolean from "./boolean.ts";
import * as comparison from "./comparison.ts";
import * as conditional from "./conditional.ts";
import type { ExpressionOperator } from "./operator.ts";
import * as string from "./string.ts";
import * as type from "./type.ts";
import * as variable from "./variable.ts";

const families = [arithmetic, array, boolean, comparison, conditional, string, type, variable];

/** Every operator of expressions, by name: what a family's file exports under a name that begins with `$`. */
export const expressionOperators: ReadonlyMap<string, ExpressionOperator> = new Map([
  ...families.flatMap((family) =>
    Object.entries(family).filter((entry): entry is [string, ExpressionOperator] => entry[0].startsWith("$")),
  ),
  ["$const", variable.$literal],
  ...["$function", "$meta"].map((name) => [name, refused(name)] as const),
]);

function refused(name: string): ExpressionOperator {
  return () => {
    throw notSupported(name);
  };
}
