// Where a thread of the backup store begins; plain JavaScript for the reason given in src/main.js.
import { enableCompileCache, flushCompileCache } from "node:module";

// A thread of a process that keeps compiled code finds where in the environment.
if (process.env["NODE_COMPILE_CACHE"] !== undefined) enableCompileCache();
await import("./answer-jobs.ts");
// A thread is ended without a word, so what it compiled is kept now.
flushCompileCache();
