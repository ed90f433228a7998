import { charge, type Loop, looped } from "../steps.ts";
import { ArrayBuilder, arraySizeOf, arrayValue } from "./builder.ts";
import type { Value } from "./value.ts";
import { ElementReader, elementsOf } from "./walk.ts";

/** Arrays that take no more bytes than this are gone through at once. */
export const smallArrayBytes = 4096;

/** Elements of a list that are gone through at once. */
const stretchLength = 256;

/** An array of many elements; may be left by a pause. */
export function arrayOf(elements: readonly Value[]): Value {
  return elements.length <= stretchLength ? arrayValue(elements) : looped(building, elements);
}

const building: Loop<
  readonly Value[],
  { readonly elements: readonly Value[]; readonly builder: ArrayBuilder; position: number },
  Value
> = {
  begin: (elements) => ({ elements, builder: new ArrayBuilder(arraySizeOf(elements)), position: 0 }),
  step: (state) => {
    const end = Math.min(state.position + stretchLength, state.elements.length);
    for (; state.position < end; state.position += 1) state.builder.append(state.elements[state.position] as Value);
    charge(stretchLength / 4);
    return state.position < state.elements.length;
  },
  end: ({ builder }) => builder.finish(),
};

/** Elements of an array that may be large; may be left by a pause. */
export function allElements(array: Value): readonly Value[] {
  return array.end - array.start <= smallArrayBytes ? elementsOf(array) : looped(reading, array);
}

const reading: Loop<Value, { readonly reader: ElementReader; readonly elements: Value[] }, readonly Value[]> = {
  begin: (array) => ({ reader: new ElementReader(array), elements: [] }),
  step: ({ reader, elements }) => {
    for (let left = stretchLength; left > 0; left -= 1) {
      const element = reader.next();
      if (element === undefined) return false;
      elements.push(element);
    }
    charge(stretchLength / 8);
    return true;
  },
  end: ({ elements }) => elements,
};

/** What is done with each of many; may be left by a pause. */
export function mappedList<One, Result>(list: readonly One[], change: (one: One, index: number) => Result): Result[] {
  if (list.length <= 16) return list.map(change);
  return looped(mapping as Loop<MappingArgument<One, Result>, MappingState<One, Result>, Result[]>, { list, change });
}

interface MappingArgument<One, Result> {
  readonly list: readonly One[];
  readonly change: (one: One, index: number) => Result;
}

interface MappingState<One, Result> extends MappingArgument<One, Result> {
  readonly results: Result[];
}

const mapping: Loop<MappingArgument<unknown, unknown>, MappingState<unknown, unknown>, unknown[]> = {
  begin: (argument) => ({ ...argument, results: [] }),
  step: ({ list, change, results }) => {
    const index = results.length;
    if (index === list.length) return false;
    results.push(change(list[index], index));
    return true;
  },
  end: ({ results }) => results,
};

type Compare<One> = (one: One, other: One) => number;

/** The list in order, equal ones as they came; may be left by a pause. */
export function sortedList<One>(list: readonly One[], compare: Compare<One>): readonly One[] {
  if (list.length > stretchLength)
    return looped(sorting as Loop<Sort<One>, Sorting<One>, readonly One[]>, { list, compare });
  charge(list.length * 4);
  return list.toSorted(compare);
}

interface Sort<One> {
  readonly list: readonly One[];
  readonly compare: Compare<One>;
}

interface Sorting<One> extends Sort<One> {
  /** Where the part begins that is not yet sorted into a run. */
  position: number;
  /** Sorted runs of about the same length, and those of the next round, which are merged of them. */
  runs: (readonly One[])[];
  next: (readonly One[])[];
  merging:
    | { readonly left: readonly One[]; readonly right: readonly One[]; readonly out: One[]; taken: number }
    | undefined;
}

const sorting: Loop<Sort<unknown>, Sorting<unknown>, readonly unknown[]> = {
  begin: (argument) => ({ ...argument, position: 0, runs: [], next: [], merging: undefined }),
  step: (state) => {
    const { list, compare, merging } = state;
    if (state.position < list.length) {
      state.runs.push(list.slice(state.position, state.position + stretchLength).toSorted(compare));
      state.position += stretchLength;
      charge(stretchLength * 4);
      return true;
    }
    if (merging !== undefined) {
      mergeSome(merging, compare);
      if (merging.out.length === merging.left.length + merging.right.length) {
        state.next.push(merging.out);
        state.merging = undefined;
      }
      charge(stretchLength / 2);
      return true;
    }
    const [left, right] = state.runs.splice(0, 2);
    if (left !== undefined && right !== undefined) {
      state.merging = { left, right, out: [], taken: 0 };
      return true;
    }
    if (left !== undefined) state.next.push(left);
    if (state.next.length === 1) return false;
    state.runs = state.next;
    state.next = [];
    return true;
  },
  end: ({ next }) => next[0] as readonly unknown[],
};

/** Merges a stretch; `taken` is how many came from the left. */
function mergeSome<One>(
  merging: { readonly left: readonly One[]; readonly right: readonly One[]; readonly out: One[]; taken: number },
  compare: Compare<One>,
): void {
  const { left, right, out } = merging;
  const end = Math.min(out.length + stretchLength, left.length + right.length);
  while (out.length < end) {
    const rightPosition = out.length - merging.taken;
    const takeLeft =
      merging.taken < left.length &&
      (rightPosition >= right.length || compare(left[merging.taken] as One, right[rightPosition] as One) <= 0);
    out.push((takeLeft ? left[merging.taken] : right[rightPosition]) as One);
    if (takeLeft) merging.taken += 1;
  }
}
