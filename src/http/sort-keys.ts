import type { TSchema } from "typebox";

/** The schema with the properties of every object in alphabetical order, for documents. */
export function sortKeys<Schema extends TSchema>(schema: Schema): Schema {
  return sorted(schema) as Schema;
}

/**
 * The schema to write answers with. Keys come out in schema order, and the API writes them sorted; the compiler would put optional properties behind
 * required ones, so that here none is required (what handlers give is held by their types).
 */
export function writingSchema(schema: TSchema): TSchema {
  return withoutRequired(sorted(schema)) as TSchema;
}

function withoutRequired(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRequired);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key, child]) => !(key === "required" && Array.isArray(child)));
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutRequired(child)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    // A schema's own name would be registered twice by whoever compiles both the item and its list.
    if (key === "$id") continue;
    copy[key] = key === "properties" ? sortedProperties(child as Record<string, unknown>) : sorted(child);
  }
  return copy;
}

function sortedProperties(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(properties)
      .toSorted()
      .map((name) => [name, sorted(properties[name])]),
  );
}
