import type { UpdateOperator } from "./operator.ts";

/** `$set`: puts the value; `$setOnInsert` is the same, at upserts alone. */
export const $set: UpdateOperator = (argument) => () => argument;
