import { located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { type Value, wholeNumberOf } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { isNumberType } from "../../bson/types.ts";
import { blockingStepMaxBytes, type Flow, cannotSpill } from "../../query/flow.ts";
import { sourceOf, type StageFactory } from "../stage.ts";

/** So many documents, each with the same chance, in no order. Throws 146 when they take more than 100 MB. */
export const $sample: StageFactory = (argument, place) => {
  const { random } = sourceOf(place);
  const size = sizeOf(argument);
  return function* sample(flow: Flow): Flow {
    const kept: Uint8Array[] = [];
    let bytes = 0;
    let seen = 0;
    for (const document of flow) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      seen += 1;
      const place = kept.length < size ? kept.length : Math.floor(random() * seen);
      if (place >= size) continue;
      bytes += document.length - (kept[place]?.length ?? 0);
      kept[place] = document;
      if (bytes > blockingStepMaxBytes) throw cannotSpill("$sample");
    }
    for (let left = kept.length; left > 0; left -= 1) {
      const chosen = Math.floor(random() * left);
      const document = kept[chosen] as Uint8Array;
      kept[chosen] = kept[left - 1] as Uint8Array;
      yield document;
    }
  };
};

function sizeOf(argument: Value): number {
  if (argument.type !== bsonType.object) throw located(28_745, "the $sample stage specification must be an object");
  let size: number | undefined;
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name !== "size") throw located(28_748, `unrecognized option to $sample: ${name}`);
    if (!isNumberType(value.type)) throw located(28_746, "size argument to $sample must be a number");
    const number = wholeNumberOf(value);
    if (number === undefined || number < 0) throw located(28_747, "size argument to $sample must not be negative");
    size = number;
  }
  if (size === undefined) throw located(28_749, "$sample stage must specify a size");
  return size;
}
