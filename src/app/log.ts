import { destination, pino, stdTimeFunctions } from "pino";
import type { Log } from "../ports/log.ts";

/** JSON lines on standard error; standard output belongs to the few lines that people and scripts wait for. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // A second wall: no code logs these on purpose.
      redact: {
        paths: [
          "password",
          "secret",
          "clientSecret",
          "privateKey",
          "connectionString",
          "authorization",
          "*.password",
          "*.authorization",
        ],
        censor: "[redacted]",
      },
    },
    destination({ dest: 2, sync: false }),
  );
}
