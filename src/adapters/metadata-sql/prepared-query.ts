import type { Compilable, CompiledQuery, Kysely, QueryResult } from "kysely";
import type { Schema } from "./schema.ts";

/** A query compiled once and run many times with other values. */
export type PreparedQuery<Values extends object, Row> = (
  database: Kysely<Schema>,
  values: Values,
) => Promise<QueryResult<Row>>;

/** Stands in the query for the value of that name. */
export type ValueOf<Values extends object> = <Name extends keyof Values>(name: Name) => Values[Name];

/**
 * Building and compiling a query costs many times what SQLite needs to run it, so the queries of every request are compiled once per
 * dialect. `prepared<{ id: string }>()((database, value) => database.selectFrom(…).where("id", "=", value("id")))`.
 */
export function prepared<Values extends object>() {
  return <Row>(
    build: (database: Kysely<Schema>, value: ValueOf<Values>) => Compilable<Row>,
  ): PreparedQuery<Values, Row> => {
    const compiledByDialect = new WeakMap<object, CompiledTemplate<Row>>();
    return (database, values) => {
      const dialect = database.getExecutor().adapter;
      let template = compiledByDialect.get(dialect);
      if (template === undefined) {
        template = compileTemplate(database, build);
        compiledByDialect.set(dialect, template);
      }
      const { compiled, slots } = template;
      const parameters = slots.map((slot) =>
        slot instanceof Slot ? ((values as Record<PropertyKey, unknown>)[slot.name] ?? null) : slot,
      );
      return database.executeQuery({ ...compiled, parameters });
    };
  };
}

interface CompiledTemplate<Row> {
  readonly compiled: CompiledQuery<Row>;
  readonly slots: readonly unknown[];
}

class Slot {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

function compileTemplate<Values extends object, Row>(
  database: Kysely<Schema>,
  build: (database: Kysely<Schema>, value: ValueOf<Values>) => Compilable<Row>,
): CompiledTemplate<Row> {
  const compiled = build(database, slotOf).compile();
  return { compiled, slots: compiled.parameters };
}

/** The slot passes for a value of any type until the values of a run take its place. */
function slotOf(name: PropertyKey): never {
  return new Slot(name) as never;
}
