import { parentPort } from "node:worker_threads";
import { jobs } from "./jobs.ts";
import type { JobMessage, JobResult } from "./thread.ts";

parentPort?.on("message", ({ number, name, request }: JobMessage) => {
  try {
    const answer = jobs[name](request as never);
    const memory = Object.values(answer).map(({ buffer }) => buffer);
    parentPort?.postMessage({ number, answer } satisfies JobResult, memory);
  } catch (error) {
    parentPort?.postMessage({ number, error } satisfies JobResult, []);
  }
});
