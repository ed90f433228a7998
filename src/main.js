#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_TRIM_THRESHOLD_=1048576 node --max-semi-space-size=4 --expose-gc
// Plain JavaScript, unlike everything it loads: the compile cache keeps modules with their types stripped, and a start that finds all of them there does not load
// the stripper, which costs 25 MB and a tenth of a second. The cache only helps modules loaded after it is on, hence the dynamic import.
// What stands above, which `npm start` gives too, keeps memory small. The variables are for the C library of Linux, which has a place of its own for each thread and gives none of them back that it can
// use again: some 80 MB less while a snapshot is taken. The flags keep the space of young objects small (20 MB less, and no slower), and let a server give back once what its start left behind.
import { keepCompiledCode } from "./app/compile-cache.js";

keepCompiledCode();
const { runCommandLine } = await import("./app/command-line.ts");
await runCommandLine(process.argv.slice(2));
