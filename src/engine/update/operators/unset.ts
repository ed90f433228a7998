import type { UpdateOperator } from "./operator.ts";

/** `$unset`: removes the field; an array's element becomes null. */
export const $unset: UpdateOperator = () => () => undefined;
