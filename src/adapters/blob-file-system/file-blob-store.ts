import { type FileHandle, link, mkdir, open, readdir, readFile, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { BlobError, type BlobStore } from "../../ports/blob-store.ts";
import { requireKey } from "../../shared/blob-key.ts";

const temporaryFolder = ".unfinished";

export interface FileBlobStoreOptions {
  /** Folder for all objects; made (mode 0700) when missing. */
  readonly root: string;
  /** Names for unfinished files. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Only reads, and leaves what another process has under way alone; the folder must be there. */
  readonly forReading?: boolean;
}

/** Objects as files below a folder. What a dead process left unfinished is removed when the store is opened; one process at a time may have it open. */
export async function createFileBlobStore(options: FileBlobStoreOptions): Promise<BlobStore> {
  const { root, randomBytes, forReading = false } = options;
  const unfinished = join(root, temporaryFolder);
  if (!forReading) {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
  }
  const pathOf = (key: string): string =>
    join(root, ...requireKey(key, (message) => new BlobError("blob_key_invalid", message)).split("/"));

  return {
    async put(key, parts) {
      const path = pathOf(key);
      if (forReading) throw openForReading(key);
      const temporary = join(unfinished, Buffer.from(randomBytes(16)).toString("hex"));
      await translated(key, async () => {
        await makeFolders(root, dirname(path));
        await writeFile(temporary, parts);
        try {
          // A link fails when the name is taken, a rename would replace: objects are written once.
          await link(temporary, path);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
          if (!(await readFile(path)).equals(Buffer.concat(parts)))
            throw new BlobError("blob_exists", `there is another object ${key}`);
        } finally {
          await unlink(temporary);
        }
        await syncFolder(dirname(path));
      });
    },
    get: (key) => translated(key, async () => readFile(pathOf(key))),
    getRange: (key, offset, lengthBytes) =>
      translated(key, async () => {
        const path = pathOf(key);
        // A negative offset would mean "where the file stands" to the system.
        if (offset < 0 || lengthBytes < 0)
          throw new BlobError("blob_range", `${key} has no range of ${lengthBytes} bytes from ${offset}`);
        await using file = await open(path, "r");
        // Memory of its own, which may go to another thread, and not cleared: all of it is written.
        const bytes = Buffer.allocUnsafeSlow(lengthBytes);
        let done = 0;
        while (done < lengthBytes) {
          const { bytesRead } = await file.read(bytes, done, lengthBytes - done, offset + done);
          if (bytesRead === 0) throw new BlobError("blob_range", `${key} ends before ${offset + lengthBytes} bytes`);
          done += bytesRead;
        }
        return bytes;
      }),
    async stat(key) {
      try {
        return { key, sizeBytes: (await stat(pathOf(key))).size };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw asBlobError(key, error);
      }
    },
    async *list(prefix) {
      for (const path of await filesBelow(root)) {
        const key = relative(root, path).split(sep).join("/");
        if (!key.startsWith(prefix) || key.startsWith(`${temporaryFolder}/`)) continue;
        try {
          yield { key, sizeBytes: (await stat(path)).size };
        } catch (error) {
          // Deleted since it was listed.
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw asBlobError(key, error);
        }
      }
    },
    delete: (key) =>
      translated(key, async () => {
        const path = pathOf(key);
        if (forReading) throw openForReading(key);
        await rm(path, { force: true });
        await syncFolder(dirname(path)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOENT") throw error;
        });
      }),
  };
}

function openForReading(key: string): BlobError {
  return new BlobError("blob_store_failed", `${key} cannot be changed: the store is open for reading`);
}

async function writeFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "wx", 0o600);
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file?.close();
  }
}

/** Makes missing folders one by one, each durable in its parent. */
async function makeFolders(root: string, folder: string): Promise<void> {
  if (folder === root) return;
  try {
    await mkdir(folder, { mode: 0o700 });
    await syncFolder(dirname(folder));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT") throw error;
    await makeFolders(root, dirname(folder));
    await makeFolders(root, folder);
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

async function filesBelow(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    throw asBlobError("", error);
  }
}

async function translated<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw asBlobError(key, error);
  }
}

function asBlobError(key: string, error: unknown): BlobError {
  if (error instanceof BlobError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return new BlobError("blob_not_found", `there is no object ${key}`, { cause: error });
  if (code === "ENOSPC" || code === "EDQUOT")
    return new BlobError("blob_store_full", "the backup store's disk is full", { cause: error });
  return new BlobError("blob_store_failed", `the backup store failed: ${message}`, { cause: error });
}
