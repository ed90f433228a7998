// The product's worker thread, which dies when a collection named "die" is staged.
import { parentPort } from "node:worker_threads";

await import("../../src/app/engine-thread.js");

parentPort?.on(
  "message",
  (message: { readonly name?: string; readonly argument?: { readonly description?: { readonly name: string } } }) => {
    if (message.name === "stageCollection" && message.argument?.description?.name === "die") process.exit(9);
  },
);
