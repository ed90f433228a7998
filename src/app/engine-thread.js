// Where the worker thread of the embedded databases begins; plain JavaScript for the reason given in main.js.
import { enableCompileCache, flushCompileCache } from "node:module";
import { resolveQuickly } from "./quick-resolution.js";

// A thread of a process that keeps compiled code finds where in the environment.
if (process.env["NODE_COMPILE_CACHE"] !== undefined) enableCompileCache();
resolveQuickly();
await import("./engine-worker.ts");
// A thread is ended without a word, so what it compiled is kept now.
flushCompileCache();
