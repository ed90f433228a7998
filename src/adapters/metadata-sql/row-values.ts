import type { Flag } from "./schema.ts";

/** 0 or 1: not every database has a truth value, and SQLite's driver takes none. */
export function flag(value: boolean): Flag {
  return value ? 1 : 0;
}

export function optional<Value>(value: Value | null): Value | undefined {
  return value ?? undefined;
}

/** JSON text of a list; null for none at all, which is not the same as an empty list. */
export function listText(list: readonly unknown[] | undefined): string | null {
  return list === undefined ? null : JSON.stringify(list);
}

/** What `listText` wrote. */
export function listFrom<Item>(text: string | null): readonly Item[] | undefined {
  return text === null ? undefined : (JSON.parse(text) as readonly Item[]);
}

/** Whether a statement that may pass over a taken key wrote its row. */
export function wrote(result: { readonly numInsertedOrUpdatedRows: bigint | undefined }): boolean {
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}
