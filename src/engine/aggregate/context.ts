import { failedToParse } from "../engine-error.ts";
import type { Value } from "../bson/value.ts";
import { type Collation, equalityKeys, valueOrder } from "../query/collation.ts";

/** An expression made ready: gives its value for a document, undefined when it is missing. `constant` is its value when no document changes it. */
export interface Expression {
  (root: Value): Value | undefined;
  readonly constant?: Value;
}

/** An expression that is always this value. */
export function constant(value: Value): Expression {
  return Object.assign(() => value, { constant: value });
}

/** A variable's place; whoever binds it writes it before what sees it is evaluated. */
export interface Variable {
  value: Value | undefined;
}

/** Variables in sight, by name without `$$`. */
export type Variables = ReadonlyMap<string, Variable>;

/** What expressions are compiled in. */
export interface ExpressionContext {
  readonly variables: Variables;
  /** How strings compare; undefined: by their bytes. */
  readonly collation: Collation | undefined;
  /** Order of two values, by the collation asked for. */
  readonly compare: (one: Value, other: Value) => number;
  /** Equal texts exactly for values that compare equal. */
  readonly keyText: (value: Value) => string;
  /** A number from 0 up to 1, where there is a source of chance. */
  readonly random?: (() => number) | undefined;
}

export function contextOf(variables: Variables, collation?: Collation, random?: () => number): ExpressionContext {
  return { variables, collation, random, compare: valueOrder(collation), keyText: equalityKeys(collation) };
}

/** The context with further variables in sight. */
export function withVariables(
  context: ExpressionContext,
  added: Iterable<readonly [string, Variable]>,
): ExpressionContext {
  const variables = new Map(context.variables);
  for (const [name, variable] of added) variables.set(name, variable);
  return { ...context, variables };
}

/** Throws 9 FailedToParse unless users may name a variable so (manual, "Variables in Aggregation Expressions"). */
export function refuseVariableName(name: string, verb: "use" | "set"): void {
  if (name === "") throw failedToParse("empty variable names are not allowed");
  if (verb === "set" && name === "CURRENT") return;
  if (!/^[a-z\u0080-\uffff]/.test(name))
    throw failedToParse(`'${name}' starts with an invalid character for a user variable name`);
  const bad = /[^\w\u0080-\uffff]/.exec(name);
  if (bad !== null) throw failedToParse(`'${name}' contains an invalid character for a variable name: '${bad[0]}'`);
}
