import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { calculateObjectSize, type Document } from "bson";
import { MongoClient } from "mongodb";
import { startTelamon } from "../telamon-process.ts";
import { appendedTo, isUpdated, orderOf, type OrderVariant } from "./orders.ts";
import { cpuOf, type MeasuredProcess, peakOf } from "./measured-process.ts";

/** Where the orders stand. */
export const database = "bench";
export const collection = "orders";

/** Documents written to the database at once. */
const writtenAtOnce = 5000;
/** How often is asked whether something has ended. */
const askEveryMs = 20;

/** The product as its users start it, with the orders in the database of its demo. */
export class BenchDeployment {
  readonly folder: string;
  readonly #sizeBytes: number;
  readonly #telamon: Awaited<ReturnType<typeof startTelamon>>;
  #variant: OrderVariant | undefined;
  /** Documents without what is appended. */
  #count = 0;
  #token: string | undefined;

  private constructor(folder: string, sizeBytes: number, telamon: Awaited<ReturnType<typeof startTelamon>>) {
    this.folder = folder;
    this.#sizeBytes = sizeBytes;
    this.#telamon = telamon;
  }

  static async start(folder: string, sizeBytes: number): Promise<BenchDeployment> {
    return new BenchDeployment(folder, sizeBytes, await startTelamon(folder, "--demo"));
  }

  get pid(): number | undefined {
    return this.#telamon.pid;
  }

  get uri(): string {
    return this.#telamon.credentials.demo?.connectionString ?? "";
  }

  stop(): Promise<void> {
    return this.#telamon.stop();
  }

  /** Makes the collection hold the documents of a variant, through the driver: all of them at first, then what differs. */
  async become(variant: OrderVariant): Promise<void> {
    await this.#connected(async (client) => {
      const orders = client.db(database).collection(collection);
      if (this.#variant === undefined) await this.#load(variant, (documents) => orders.insertMany(documents));
      else {
        const changed: number[] = [];
        for (let number = 0; number < this.#count; number += 1)
          if (isUpdated(number, variant) !== isUpdated(number, this.#variant)) changed.push(number);
        for (const batch of batchesOf(changed))
          await orders.bulkWrite(
            batch.map((number) => {
              const { _id, st } = orderOf(number, variant);
              return { updateOne: { filter: { _id }, update: { $set: { st } } } };
            }),
          );
        const added = Array.from({ length: appendedTo(this.#count, variant) }, (_, index) => this.#count + index);
        for (const batch of batchesOf(added))
          await orders.insertMany(batch.map((number) => orderOf(number, variant, this.#count)));
      }
    });
    this.#variant = variant;
  }

  async #load(variant: OrderVariant, insert: (documents: Document[]) => Promise<unknown>): Promise<void> {
    let documents: Document[] = [];
    for (let made = 0; made < this.#sizeBytes; this.#count += 1) {
      const document = orderOf(this.#count, variant);
      made += calculateObjectSize(document);
      if (documents.push(document) < writtenAtOnce) continue;
      await insert(documents);
      documents = [];
    }
    if (documents.length > 0) await insert(documents);
  }

  /** SHA-256 of the documents of a collection in `_id` order, as the digest of a file of them. */
  digestOf(name: string = collection): Promise<string> {
    return this.#connected(async (client) => {
      const hash = createHash("sha256");
      const cursor = client
        .db(database)
        .collection(name)
        .find({}, { raw: true, sort: { _id: 1 }, batchSize: 5000 });
      while (await cursor.hasNext())
        for (const document of cursor.readBufferedDocuments() as unknown[] as Uint8Array[]) hash.update(document);
      return hash.digest("hex");
    });
  }

  /** Takes a snapshot; `output` is its id. */
  takeSnapshot(): Promise<MeasuredProcess> {
    return this.#measured(async () => {
      const { id } = await this.#call("POST", "/backup/snapshots", {
        description: "of a benchmark",
        retentionInDays: 1,
      });
      await this.#ended(`/backup/snapshots/${String(id)}`, ({ status }) => {
        if (status === "failed") throw new Error("a snapshot failed");
        return status === "completed";
      });
      return String(id);
    });
  }

  /** How many snapshots were made of the one before and the operation log so far. */
  async snapshotsByLog(): Promise<number> {
    const response = await fetch(`${this.#telamon.credentials.baseUrl}/metrics`);
    const found = /^telamon_snapshots_completed_total\{way="log"\} (\d+)$/m.exec(await response.text());
    return Number(found?.[1] ?? Number.NaN);
  }

  restore(snapshotId: string): Promise<MeasuredProcess> {
    return this.#measured(async () => {
      const { id } = await this.#call("POST", "/backup/restoreJobs", {
        deliveryType: "automated",
        snapshotId,
        targetClusterName: this.#telamon.credentials.demo?.instance,
        targetGroupId: this.#telamon.credentials.groupId,
      });
      await this.#ended(`/backup/restoreJobs/${String(id)}`, ({ failed, finishedAt }) => {
        if (failed === true) throw new Error("a restore failed");
        return finishedAt !== undefined;
      });
      return String(id);
    });
  }

  /** Time, processor time and memory of the whole server while something is done. */
  async #measured(work: () => Promise<string>): Promise<MeasuredProcess> {
    const { pid } = this.#telamon;
    // The most memory it had so far is forgotten (proc(5)).
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    const cpuSeconds = cpuOf(pid);
    const beganMs = performance.now();
    const output = await work();
    return {
      seconds: (performance.now() - beganMs) / 1000,
      cpuSeconds: cpuOf(pid) - cpuSeconds,
      peakBytes: peakOf(pid),
      output,
    };
  }

  /** Asks again and again, and tells how long the answers took: what clients of the API notice of the work. */
  async #ended(path: string, hasEnded: (found: Answer) => boolean): Promise<void> {
    const delaysMs: number[] = [];
    for (;;) {
      const askedMs = performance.now();
      const found = await this.#call("GET", path);
      delaysMs.push(performance.now() - askedMs);
      if (hasEnded(found)) break;
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
    const p99Ms = delaysMs.toSorted((one, other) => one - other)[Math.floor(delaysMs.length * 0.99)] ?? 0;
    console.log(`    meanwhile ${delaysMs.length} requests to the API, p99 ${p99Ms.toFixed(1)} ms`);
  }

  async #call(method: string, path: string, body?: object): Promise<Answer> {
    const { baseUrl, groupId, demo } = this.#telamon.credentials;
    this.#token ??= await this.#authorize();
    const response = await fetch(`${baseUrl}/api/atlas/v2/groups/${groupId}/serverless/${demo?.instance}${path}`, {
      method,
      headers: {
        accept: "application/vnd.atlas.2023-01-01+json",
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === 401) this.#token = undefined;
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`);
    return (await response.json()) as Answer;
  }

  async #authorize(): Promise<string> {
    const { baseUrl, serviceAccount } = this.#telamon.credentials;
    const { clientId, clientSecret } = serviceAccount;
    const answer = await fetch(`${baseUrl}/api/oauth/token`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "grant_type=client_credentials",
    });
    return ((await answer.json()) as { readonly access_token: string }).access_token;
  }

  async #connected<Result>(work: (client: MongoClient) => Promise<Result>): Promise<Result> {
    const client = new MongoClient(this.uri, { serverSelectionTimeoutMS: 10_000 });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }
}

type Answer = Readonly<Record<string, unknown>>;

function* batchesOf(numbers: readonly number[]): Generator<readonly number[]> {
  for (let start = 0; start < numbers.length; start += writtenAtOnce) yield numbers.slice(start, start + writtenAtOnce);
}
