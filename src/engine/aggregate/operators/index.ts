import { notSupported } from "../../engine-error.ts";
import * as accumulation from "./accumulation.ts";
import * as arithmetic from "./arithmetic.ts";
import * as array from "./array.ts";
import * as bitwise from "./bitwise.ts";
import * as boolean from "./boolean.ts";
import * as comparison from "./comparison.ts";
import * as conditional from "./conditional.ts";
import * as dateArithmetic from "./date-arithmetic.ts";
import * as dateParts from "./date-parts.ts";
import * as dateText from "./date-text.ts";
import * as hash from "./hash.ts";
import * as iteration from "./iteration.ts";
import * as object from "./object.ts";
import * as pattern from "./pattern.ts";
import * as powers from "./powers.ts";
import * as random from "./random.ts";
import * as set from "./set.ts";
import * as size from "./size.ts";
import * as sortedArray from "./sorted-array.ts";
import * as string from "./string.ts";
import * as substring from "./substring.ts";
import * as trigonometry from "./trigonometry.ts";
import * as type from "./type.ts";
import * as variable from "./variable.ts";
import type { ExpressionOperator } from "./operator.ts";

const families = [
  accumulation,
  arithmetic,
  array,
  bitwise,
  boolean,
  comparison,
  conditional,
  dateArithmetic,
  dateParts,
  dateText,
  hash,
  iteration,
  object,
  pattern,
  powers,
  random,
  set,
  size,
  sortedArray,
  string,
  substring,
  trigonometry,
  type,
  variable,
];

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
