// The fault storm over the backup store at length: `npm run test:storm -- [actions] [seed]`.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

const [actions = "10000", seed] = process.argv.slice(2);
const storm = join(resolve(import.meta.dirname, ".."), "test/store/storm.test.ts");
const result = spawnSync(process.execPath, ["--test", "--test-timeout=36000000", storm], {
  stdio: "inherit",
  env: {
    ...process.env,
    TELAMON_STORM_ACTIONS: actions,
    ...(seed === undefined ? {} : { TELAMON_STORM_SEED: seed }),
  },
});
process.exit(result.status ?? 1);
