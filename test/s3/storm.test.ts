import { randomInt } from "node:crypto";
import { test } from "node:test";
import { runStorm } from "../store/storm-plan.ts";
import { StormWorld } from "../store/storm-world.ts";
import { seeded } from "../support/crash-world.ts";
import { missingServer, openS3Store, startS3Server } from "./versitygw.ts";

const skip = (await missingServer()) ?? false;
// As test/store/storm.test.ts, over a real S3 server.
const actions = Number(process.env.TELAMON_S3_STORM_ACTIONS ?? 150);
const seed = Number(process.env.TELAMON_STORM_SEED ?? randomInt(2 ** 31));

test(
  `over ${actions} random actions on a store in S3 every completed snapshot restores byte for byte (seed ${seed})`,
  { skip },
  async (context) => {
    const server = await startS3Server();
    try {
      await server.makeBucket("storm");
      const random = seeded(seed);
      const storm = await StormWorld.create(random, await openS3Store(server, { bucket: "storm" }));
      context.diagnostic(
        `seed ${seed}: ${JSON.stringify(await runStorm(storm, random, { actions, checkEvery: 75, seed }))}`,
      );
    } finally {
      await server.stop();
    }
  },
);
