import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import { createSystemClock } from "./clock-system.ts";

/** Identifiers and secrets from the system's random source; ObjectIds carry the clock's seconds (BSON specification). */
export function createRandomIds(clock: Clock = createSystemClock()): Ids {
  const processPart = randomBytes(5).toString("hex");
  let counter = randomInt(0x1_00_00_00);
  return {
    objectId: () => {
      counter = (counter + 1) % 0x1_00_00_00;
      const seconds = Math.floor(clock.nowMs() / 1000) % 0x1_00_00_00_00;
      return seconds.toString(16).padStart(8, "0") + processPart + counter.toString(16).padStart(6, "0");
    },
    uuid: () => randomUUID(),
    // A plain Uint8Array of its own: a Buffer would share the pool with other secrets.
    randomBytes: (length) => Uint8Array.from(randomBytes(length)),
  };
}
