import { parentPort } from "node:worker_threads";
import { jobs, memoryOf } from "./jobs.ts";
import type { JobMessage, JobResult } from "./thread.ts";

parentPort?.on("message", ({ number, name, request }: JobMessage) => {
  try {
    const answer = jobs[name](request as never);
    parentPort?.postMessage({ number, answer } satisfies JobResult, memoryOf(Object.values(answer)));
  } catch (error) {
    parentPort?.postMessage({ number, error } satisfies JobResult, []);
  }
});
