import { emptyDocument } from "../bson/builder.ts";
import { dateValue, documentValue, timestampValue } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import type { CompileExpression } from "../query/tests.ts";
import { contextOf, type ExpressionContext, refuseVariableName, type Variable, type Variables } from "./context.ts";
import { compileExpression } from "./expression.ts";

/** When an operation began, for `$$NOW` and `$$CLUSTER_TIME`. */
export interface Moment {
  readonly nowMs: number;
  readonly clusterTime?: { readonly seconds: number; readonly increment: number } | undefined;
}

/** `let` as variables, and `$$NOW` of the moment; the values are constants, or expressions of constants, of variables before and of chance. */
export function variablesOf(document: Uint8Array | undefined, moment?: Moment, random?: () => number): Variables {
  const variables = new Map<string, Variable>();
  if (moment !== undefined) {
    variables.set("NOW", { value: dateValue(BigInt(Math.floor(moment.nowMs))) });
    const time = moment.clusterTime;
    if (time !== undefined) variables.set("CLUSTER_TIME", { value: timestampValue(time.seconds, time.increment) });
  }
  if (document === undefined) return variables;
  for (const { name, value } of fieldsOf(document)) {
    refuseVariableName(name, "set");
    variables.set(name, {
      value: compileExpression(value, contextOf(variables, undefined, random))(documentValue(emptyDocument)),
    });
  }
  return variables;
}

/** For `$expr` and computed fields of projections. */
export function expressionCompiler(variables: Variables): CompileExpression {
  return compilerIn(contextOf(variables));
}

/** As `expressionCompiler`, in a context that may compare by a collation. */
export function compilerIn(context: ExpressionContext): CompileExpression {
  return (value) => {
    const expression = compileExpression(value, context);
    return (document) => expression(documentValue(document));
  };
}
