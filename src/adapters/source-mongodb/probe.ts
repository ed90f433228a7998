import { type Document, type MongoClient, MongoServerError } from "mongodb";
import type { ProbedAbilities } from "../../ports/metadata/external-source-records.ts";
import type { SourceProbe } from "../../ports/source-probe.ts";
import type { AllowedHosts } from "../../shared/allowed-hosts.ts";
import { readCatalogue } from "./catalogue.ts";
import { connectClient } from "./connect-client.ts";
import { beginSnapshotSession } from "./snapshot-session.ts";

/** How long a deployment has to answer: whoever attaches it waits. */
const defaultTimeoutMs = 10_000;

/** Tries a deployment: `hello`, the catalogue, a read of one document at one time for all collections, and the newest entry of the operation log. */
export function createMongoProbe(allowedHosts: AllowedHosts, timeoutMs = defaultTimeoutMs): SourceProbe {
  return {
    async probe(connectionString, signal) {
      const connected = await connectClient(
        connectionString,
        { serverSelectionTimeoutMs: timeoutMs, allowedHosts },
        signal,
      );
      try {
        return await probeAbilities(connected.client);
      } catch (error) {
        signal.throwIfAborted();
        throw connected.explain(error);
      } finally {
        await connected.close();
      }
    },
  };
}

async function probeAbilities(client: MongoClient): Promise<ProbedAbilities> {
  const admin = client.db("admin");
  const topology = topologyOf(await admin.command({ hello: 1 }));
  const serverVersion = versionOf(await admin.command({ buildInfo: 1 }));
  const [first] = await readCatalogue(client);
  const { session, clusterTime } = await beginSnapshotSession(client, first);
  await session?.endSession();
  const snapshotReads = clusterTime !== undefined;
  const logReadable = topology === "replicaSet" && (await canReadLog(client));
  return {
    topology,
    serverVersion,
    snapshotReads,
    logReadable,
    consistency: snapshotReads ? "exact" : logReadable ? "log_catch_up" : "best_effort",
  };
}

/** What a server says of itself in its answer to `hello`. */
export function topologyOf(hello: Document): ProbedAbilities["topology"] {
  if (hello["serviceId"] !== undefined) return "loadBalanced";
  if (hello["msg"] === "isdbgrid") return "sharded";
  return typeof hello["setName"] === "string" ? "replicaSet" : "standalone";
}

/** The `x.y.z` that a server announces; zeros when it announces none. */
export function versionOf({ version }: Document): string {
  return /^\d+\.\d+\.\d+/.exec(String(version))?.[0] ?? "0.0.0";
}

/** Whether there is an operation log that the user may read. */
export async function canReadLog(client: MongoClient): Promise<boolean> {
  try {
    const newest = await client
      .db("local")
      .collection("oplog.rs")
      .findOne({}, { sort: { $natural: -1 }, projection: { ts: 1 } });
    return newest !== null;
  } catch (error) {
    // Not allowed, or not there: the server has answered, and that is what was asked.
    if (error instanceof MongoServerError) return false;
    throw error;
  }
}
