import { link, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

const keyLength = 32;

/** The 32 bytes in the file (mode 0600), made at random when there is none. Throws when others may read the file, or it is not a key. */
export async function loadOrCreateMasterKey(
  path: string,
  randomBytes: (length: number) => Uint8Array,
): Promise<Uint8Array> {
  try {
    return await loadMasterKey(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await create(path, randomBytes);
  return loadMasterKey(path);
}

/** Throws when the file is not there (`ENOENT`), others may read it, or it is not a key. */
export async function loadMasterKey(path: string): Promise<Uint8Array> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new Error(`the master key ${path} may be read by others; make it the owner's alone (chmod 600)`);
  const key = await readFile(path);
  if (key.length !== keyLength) throw new Error(`the master key ${path} has ${key.length} bytes, not ${keyLength}`);
  return key;
}

async function create(path: string, randomBytes: (length: number) => Uint8Array): Promise<void> {
  const temporary = `${path}.unfinished`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(keyLength));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link never replaces a key that somebody else has just made.
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}
