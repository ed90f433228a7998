import { measure } from "../list/load.ts";
import { createPlan } from "../list/plan.ts";
import { fill, people } from "./rows.ts";
import type { TelamonServer } from "./server.ts";

export const largeDatabaseName = "large";

/** How long the API takes to answer while a database of the same process is scanned, and while it is not. */
export async function delays(telamon: TelamonServer, documents: number, seconds: number): Promise<void> {
  console.log(`filling ${documents} documents`);
  await fill(telamon.client.db(largeDatabaseName), documents);
  const { credentials } = telamon;
  const path = `/api/atlas/v2/groups/${credentials.groupId}/serverless/${credentials.demo?.instance}/backup/snapshots`;
  const plan = await createPlan("bearer", credentials, path);
  const show = (name: string, { requestsPerSecond, p50Ms, p99Ms }: Awaited<ReturnType<typeof measure>>): void =>
    console.log(
      `${name.padEnd(52)} ${requestsPerSecond.toFixed(0).padStart(7)} rps   p50 ${p50Ms.toFixed(1)} ms   p99 ${p99Ms.toFixed(1)} ms`,
    );
  show("API list, databases idle", await measure(credentials.baseUrl, plan, seconds));
  const end = new AbortController();
  let scanned = 0;
  const scans = (async () => {
    while (!end.signal.aborted) {
      await people(telamon.client.db(largeDatabaseName))
        .find({ score: { $gt: 2 } })
        .toArray();
      scanned += documents;
    }
  })();
  const startedMs = performance.now();
  const during = await measure(credentials.baseUrl, plan, seconds);
  end.abort();
  await scans;
  show(`API list, ${documents} documents being scanned`, during);
  console.log(
    `  ${Math.round((scanned / (performance.now() - startedMs)) * 1000)} documents/s scanned meanwhile; ${Math.round(telamon.residentBytes() / 1_048_576)} MiB resident\n`,
  );
}
