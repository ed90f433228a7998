import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { seeded } from "../support/crash-world.ts";
import { StormWorld } from "./storm-world.ts";

// TELAMON_STORM_ACTIONS makes it longer (npm run test:storm: 10,000), TELAMON_STORM_SEED repeats a run. Threads that compress end when they end, so that a seed repeats
// the plan and the faults, and two processes at once only about as they were.
const actions = Number(process.env.TELAMON_STORM_ACTIONS ?? 250);
const seed = Number(process.env.TELAMON_STORM_SEED ?? randomInt(2 ** 31));
const checkEvery = 100;

test(`over ${actions} random actions with faults, deaths and clock jumps every completed snapshot restores byte for byte (seed ${seed})`, async (context) => {
  const random = seeded(seed);
  const storm = await StormWorld.create(random);
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
  context.diagnostic(`seed ${seed}: ${JSON.stringify(storm.counts)}`);
  for (const what of ["snapshot completed", "deaths", "failures", "collections", "restores", "increments"])
    assert.ok((storm.counts[what] ?? 0) > 0, `no ${what}: the storm met nothing`);
});
