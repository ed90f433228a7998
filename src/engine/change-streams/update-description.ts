import { arrayValue, objectValue } from "../bson/builder.ts";
import { int32Value, stringValue, type Value } from "../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../bson/walk.ts";

type Step = string | number;

interface Told {
  readonly updated: [string, Value][];
  readonly removed: string[];
  readonly truncated: Value[];
  /** Paths that can be read in more ways than one, by their steps. */
  readonly ambiguous: Map<string, readonly Step[]>;
}

/** `updateDescription` of an event: what the difference that the log has of an update says, by dotted paths (manual, "update Event"). */
export function updateDescription(difference: Uint8Array, expanded: boolean): Value {
  const told: Told = { updated: [], removed: [], truncated: [], ambiguous: new Map() };
  tellDocument(difference, [], told);
  const paths = [...told.ambiguous].map(
    ([path, steps]) =>
      [
        path,
        arrayValue(steps.map((step) => (typeof step === "number" ? int32Value(step) : stringValue(step)))),
      ] as const,
  );
  return objectValue([
    ["updatedFields", objectValue(told.updated)],
    ["removedFields", arrayValue(told.removed.map(stringValue))],
    ["truncatedArrays", arrayValue(told.truncated)],
    ...(expanded ? [["disambiguatedPaths", objectValue(paths)] as const] : []),
  ]);
}

function tellDocument(difference: Uint8Array, around: readonly Step[], told: Told): void {
  for (const { name, value } of fieldsOf(difference)) {
    if (name === "d")
      for (const field of fieldsOfValue(value)) told.removed.push(pathTo([...around, field.name], told));
    else if (name === "u" || name === "i")
      for (const field of fieldsOfValue(value)) told.updated.push([pathTo([...around, field.name], told), field.value]);
    else tellWithin(value, [...around, name.slice(1)], told);
  }
}

function tellWithin(difference: Value, path: readonly Step[], told: Told): void {
  const [first] = fieldsOfValue(difference);
  if (first?.name !== "a") return tellDocument(difference.bytes(), path, told);
  for (const { name, value } of fieldsOfValue(difference)) {
    if (name === "a") continue;
    if (name === "l") {
      told.truncated.push(
        objectValue([
          ["field", stringValue(pathTo(path, told))],
          ["newSize", value],
        ]),
      );
      continue;
    }
    const place = [...path, Number(name.slice(1))];
    if (name.startsWith("u")) told.updated.push([pathTo(place, told), value]);
    else tellWithin(value, place, told);
  }
}

/** A field whose name is a number could be a position, and one with a dot could be two fields. */
function pathTo(steps: readonly Step[], { ambiguous }: Told): string {
  const path = steps.join(".");
  const isAmbiguous = steps.some(
    (step, depth) => typeof step === "string" && (step.includes(".") || (depth > 0 && /^\d+$/.test(step))),
  );
  if (isAmbiguous) ambiguous.set(path, steps);
  return path;
}
