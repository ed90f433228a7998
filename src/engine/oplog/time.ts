import { bsonType } from "../bson/types.ts";
import { int64Of, type Value } from "../bson/value.ts";
import type { ClusterTime } from "../engine.ts";

/** Increments of one second; a second that has had so many is followed by the next, also when the clock is not there yet. */
export const incrementsPerSecond = 2 ** 20;

/** A time as the number of its row, in the order of times. Times hold no more than 53 bits until the year 2106. */
export function rowIdOfTime({ seconds, increment }: ClusterTime): number {
  return seconds * incrementsPerSecond + Math.min(increment, incrementsPerSecond - 1);
}

export function timeOfRowId(rowId: number): ClusterTime {
  const seconds = Math.floor(rowId / incrementsPerSecond);
  return { seconds, increment: rowId - seconds * incrementsPerSecond };
}

/** The time after `time`: seconds of the clock, but never below what was given before, also when the clock was set back or the process restarted. */
export function timeAfter(time: ClusterTime, nowMs: number): ClusterTime {
  const seconds = Math.floor(nowMs / 1000);
  if (seconds > time.seconds) return { seconds, increment: 1 };
  return time.increment + 1 < incrementsPerSecond
    ? { seconds: time.seconds, increment: time.increment + 1 }
    : { seconds: time.seconds + 1, increment: 1 };
}

/** Undefined for a value that is no timestamp. */
export function timeOfValue(value: Value): ClusterTime | undefined {
  if (value.type !== bsonType.timestamp) return undefined;
  const bits = BigInt.asUintN(64, int64Of(value));
  return { seconds: Number(bits >> 32n), increment: Number(bits & 0xffff_ffffn) };
}

export function compareTimes(one: ClusterTime, other: ClusterTime): number {
  return one.seconds - other.seconds || one.increment - other.increment;
}
