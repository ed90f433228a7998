import { chmodSync, mkdirSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Makes the folder (mode 0700) when missing. Throws with a message for people when it cannot be used. */
export function prepareDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`cannot make the data folder ${path}: ${(error as Error).message}`, { cause: error });
  }
  const mode = statSync(path).mode & 0o777;
  // A folder made by hand is often 0755; what lies in it are secrets and backups.
  if ((mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** Writes a file readable by the owner alone, whole or not at all, durable when the promise resolves. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${process.pid}.tmp`);
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
