import { smallArrayBytes } from "../bson/arrays.ts";
import type { Value } from "../bson/value.ts";
import { ElementReader, elementsOf } from "../bson/walk.ts";
import { type Loop, looped } from "../steps.ts";
import { newestPosition, recordPosition } from "./match-position.ts";

type Test = (element: Value, index: number) => boolean;

/** Position of the first element that passes, -1 when none does; may be left by a pause. */
export function findElement(array: Value, test: Test): number {
  if (array.end - array.start <= smallArrayBytes)
    return elementsOf(array).findIndex((element, index) => test(element, index));
  return answered(looped(searching, { array, test }));
}

/** As `findElement`; whether there is one. For tests that do nothing but answer. */
export function someElement(array: Value, test: Test): boolean {
  return findElement(array, test) !== -1;
}

/** Whether one of many tests holds; may be left by a pause. */
export function someTest<One>(tests: readonly One[], holds: (test: One) => boolean): boolean {
  if (tests.length <= 16) return tests.some(holds);
  return answered(looped(trying as Loop<Trial<One>, Trying<One>, Found>, { tests, holds })) !== -1;
}

interface Found {
  readonly index: number;
  readonly position: number;
}

/** What the tests told of positions is told again when they are not run again. */
function answered({ index, position }: Found): number {
  recordPosition(position);
  return index;
}

interface Searching {
  readonly reader: ElementReader;
  element: Value | undefined;
  readonly test: Test;
  index: number;
  found: boolean;
  position: number;
}

const searching: Loop<{ readonly array: Value; readonly test: Test }, Searching, Found> = {
  begin: ({ array, test }) => {
    const reader = new ElementReader(array);
    return { reader, element: reader.next(), test, index: 0, found: false, position: newestPosition() };
  },
  step: (state) => {
    recordPosition(state.position);
    const { element } = state;
    if (element === undefined) return false;
    state.found = state.test(element, state.index);
    state.position = newestPosition();
    if (state.found) return false;
    state.index += 1;
    state.element = state.reader.next();
    return true;
  },
  end: ({ found, index, position }) => ({ index: found ? index : -1, position }),
};

interface Trial<One> {
  readonly tests: readonly One[];
  readonly holds: (test: One) => boolean;
}

interface Trying<One> extends Trial<One> {
  index: number;
  position: number;
}

const trying: Loop<Trial<unknown>, Trying<unknown>, Found> = {
  begin: (trial) => ({ ...trial, index: 0, position: newestPosition() }),
  step: (state) => {
    if (state.index === state.tests.length) return false;
    recordPosition(state.position);
    const holds = state.holds(state.tests[state.index]);
    state.position = newestPosition();
    if (!holds) state.index += 1;
    return !holds;
  },
  end: ({ index, tests, position }) => ({ index: index < tests.length ? index : -1, position }),
};
