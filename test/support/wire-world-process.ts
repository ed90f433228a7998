// A wire world in a process of its own: prints its port, and ends when standard input does.
import { startWireWorld } from "./wire-world.ts";

const world = await startWireWorld();
console.log(`port ${world.listener.port}`);
process.stdin.resume().on("end", () => void world.stop());
