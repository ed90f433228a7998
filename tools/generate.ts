// Writes every generated file, or with --check says which are out of date.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { configurationReference } from "./generate-configuration-reference.ts";
import { operationsIndex } from "./generate-operations-index.ts";
import { operationsReference } from "./generate-operations-reference.ts";

/** A generated file: where it goes below the repository's root, and its whole text. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

const root = resolve(import.meta.dirname, "..");
const check = process.argv.includes("--check");
let stale = 0;

// The operations' index comes first: the reference is read from the registry it makes.
for (const generate of [operationsIndex, operationsReference, configurationReference]) {
  const file = await generate(root);
  const path = join(root, file.path);
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (before === file.text) continue;
  stale += 1;
  if (check) console.error(`${relative(root, path)} is out of date: run npm run gen`);
  else writeFileSync(path, file.text);
  if (!check) console.log(`wrote ${relative(root, path)}`);
}
process.exit(check && stale > 0 ? 1 : 0);
