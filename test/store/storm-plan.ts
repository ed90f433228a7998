import assert from "node:assert/strict";
import type { Counts, StormWorld } from "./storm-world.ts";

/** Runs so many random actions, looks at everything each `checkEvery` of them and at the end, and answers what came about. Throws with the action and the seed. */
export async function runStorm(
  storm: StormWorld,
  random: () => number,
  { actions, checkEvery, seed }: { readonly actions: number; readonly checkEvery: number; readonly seed: number },
): Promise<Counts> {
  const plan: readonly (readonly [number, () => Promise<void> | void])[] = [
    [0.25, () => storm.change()],
    [0.28, () => storm.snapshot()],
    [0.1, () => storm.both()],
    [0.15, () => storm.collect()],
    [0.08, () => storm.expire()],
    [0.03, () => storm.jump()],
    [0.03, () => storm.delete()],
    [0.08, () => storm.restoreOne()],
  ];
  for (let number = 1; number <= actions; number += 1) {
    let left = random();
    const [, action] = plan.find(([share]) => (left -= share) < 0) ?? plan[0] ?? assert.fail();
    try {
      await action();
      if (number % checkEvery === 0) await storm.requireAll();
    } catch (error) {
      throw new Error(`action ${number} of seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  await storm.requireAll();
  for (const what of ["snapshot completed", "deaths", "failures", "collections", "restores", "increments"])
    assert.ok((storm.counts[what] ?? 0) > 0, `no ${what}: the storm met nothing`);
  return storm.counts;
}
