import { randomBytes } from "node:crypto";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createS3BlobStore, type S3BlobStoreOptions } from "../../src/adapters/blob-s3/s3-blob-store.ts";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import type { BlobStore } from "../../src/ports/blob-store.ts";
import { eventually } from "../support/telamon-process.ts";

const module = "github.com/versity/versitygw";
const version = "v1.8.0";
/** Outside the repository, so that a fresh clone does not build it again. */
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "telamon", `versitygw-${version}`);
const program = join(folder, "versitygw");
const lock = join(folder, "building");
/** A build of a minute or two; one that takes longer is given up. */
const buildMaxMs = 280_000;

/** A real S3 server of this machine. */
export interface S3Server {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For what a store does not do by itself. */
  readonly client: S3Client;
  makeBucket(name: string, options?: { readonly withObjectLock: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** Undefined when the server can be used, or why it cannot. Builds it from the Go module proxy the first time, in a minute or two. */
export async function missingServer(): Promise<string | undefined> {
  const missing = await missingProgram();
  if (missing !== undefined) return missing;
  try {
    await (await startS3Server()).stop();
    return undefined;
  } catch (error) {
    return `the S3 server does not run here (its files need extended attributes): ${(error as Error).message}`;
  }
}

async function missingProgram(): Promise<string | undefined> {
  if (existsSync(program)) return undefined;
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
  } catch {
    return "there is no Go to build the S3 server with (versitygw)";
  }
  mkdirSync(folder, { recursive: true });
  return build();
}

/** Builds, unless another test file is at it; a builder that died is taken over. */
async function build(): Promise<string | undefined> {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
  } catch {
    await eventually("the S3 server to be built", async () => (isHeld() ? undefined : true), buildMaxMs);
    return existsSync(program) ? undefined : "the S3 server could not be built";
  }
  try {
    await promisify(execFile)("go", ["install", `${module}/cmd/versitygw@${version}`], {
      env: { HOME: homedir(), ...process.env, GOBIN: join(folder, "new"), CGO_ENABLED: "0" },
      timeout: buildMaxMs,
    });
    renameSync(join(folder, "new/versitygw"), program);
    return undefined;
  } catch (error) {
    return `the S3 server could not be built: ${(error as Error).message.trimEnd().split("\n").at(-1) ?? ""}`;
  } finally {
    rmSync(lock);
  }
}

function isHeld(): boolean {
  try {
    process.kill(Number(readFileSync(lock, "utf8")), 0);
    return true;
  } catch {
    rmSync(lock, { force: true });
    return false;
  }
}

export async function startS3Server(): Promise<S3Server> {
  const data = mkdtempSync(join(tmpdir(), "telamon-s3-"));
  for (const name of ["objects", "versions"]) mkdirSync(join(data, name));
  const port = await freePort();
  const credentials = { accessKeyId: "TELAMONTEST", secretAccessKey: "secret-of-the-telamon-tests" };
  const child = spawn(
    program,
    ["--port", `127.0.0.1:${port}`, "--quiet", "--keep-alive", "--health", "/health", "posix"].concat(
      // Attributes in the file system: kept in files ("--sidecar") they outlive a deleted version, and the key stays taken.
      ["--versioning-dir", join(data, "versions")],
      join(data, "objects"),
    ),
    {
      stdio: "ignore",
      env: {
        PATH: process.env.PATH,
        ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    },
  );
  // A test that ends before its end must not leave it behind.
  const endWithTests = (): boolean => child.kill("SIGKILL");
  process.once("exit", endWithTests);
  const exited = once(child, "exit");
  const endpoint = `http://127.0.0.1:${port}`;
  await eventually("the S3 server to listen", async () => {
    if (child.exitCode !== null) throw new Error("the S3 server ended");
    return fetch(`${endpoint}/health`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  });
  const client = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true });
  return {
    endpoint,
    credentials,
    client,
    async makeBucket(name, { withObjectLock } = { withObjectLock: false }) {
      await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: withObjectLock }));
    },
    async stop() {
      client.destroy();
      child.kill("SIGTERM");
      await exited;
      process.off("exit", endWithTests);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A store in a bucket of the server; pauses between attempts are short. */
export function openS3Store(server: S3Server, options: Partial<S3BlobStoreOptions>): Promise<BlobStore> {
  return createS3BlobStore({
    bucket: "plain",
    prefix: "store/",
    endpoint: server.endpoint,
    region: undefined,
    pathStyle: true,
    objectLock: undefined,
    credentials: server.credentials,
    clock: createSystemClock(),
    randomBytes,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ...options,
    limits: { firstPauseMs: 2, pauseMaxMs: 20, ...options.limits },
  });
}

function freePort(): Promise<number> {
  return new Promise((fulfil, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => fulfil(port));
    });
  });
}
