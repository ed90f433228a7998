import { randomInt } from "node:crypto";
import { test } from "node:test";
import { seeded } from "../support/crash-world.ts";
import { runStorm } from "./storm-plan.ts";
import { StormWorld } from "./storm-world.ts";

// TELAMON_STORM_ACTIONS makes it longer (npm run test:storm: 10,000), TELAMON_STORM_SEED repeats a run. Threads that compress end when they end, so that a seed repeats
// the plan and the faults, and two processes at once only about as they were.
const actions = Number(process.env.TELAMON_STORM_ACTIONS ?? 250);
const seed = Number(process.env.TELAMON_STORM_SEED ?? randomInt(2 ** 31));

test(`over ${actions} random actions with faults, deaths and clock jumps every completed snapshot restores byte for byte (seed ${seed})`, async (context) => {
  const random = seeded(seed);
  const counts = await runStorm(await StormWorld.create(random), random, { actions, checkEvery: 100, seed });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(counts)}`);
});
