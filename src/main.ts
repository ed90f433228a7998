#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// The cache only helps modules loaded after it is on, hence the dynamic import.
enableCompileCache();
const { runCommandLine } = await import("./app/command-line.ts");
await runCommandLine(process.argv.slice(2));
