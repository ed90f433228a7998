import assert from "node:assert/strict";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { createAesSealer } from "../../src/adapters/sealer-aes/sealer-aes.ts";
import { createMongoProbe } from "../../src/adapters/source-mongodb/probe.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import { createServices, type Services } from "../../src/domain/services.ts";
import type { Ids } from "../../src/ports/ids.ts";
import type { JobKind, LeasedJob } from "../../src/ports/metadata/job-records.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { AppError } from "../../src/shared/app-error.ts";
import { allowedHosts } from "../../src/shared/allowed-hosts.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** The services over real metadata in memory, a clock moved by hand, one organization and one project. */
export interface DomainWorld {
  readonly clock: FakeClock;
  readonly ids: Ids;
  readonly metadata: Metadata;
  readonly services: Services;
  readonly organizationId: string;
  readonly projectId: string;
  /** Leases the next due job of the kind; fails when there is none. */
  lease(kind: JobKind, leaseMs?: number): Promise<LeasedJob>;
  /** An instance whose `provision` job is done. */
  instance(name: string): Promise<string>;
}

/** External deployments may be anywhere, and have half a second to answer. */
export const reachable = { allowedHosts: allowedHosts("any"), probe: createMongoProbe(allowedHosts("any"), 500) };

export async function createDomainWorld(): Promise<DomainWorld> {
  const clock = createFakeClock();
  const ids = createRandomIds(clock);
  const metadata = await createSqliteMetadata({ path: ":memory:", clock });
  const sealer = createAesSealer(ids.randomBytes(32), ids);
  const services = createServices({ metadata, clock, ids, sealer, ...reachable });
  const organizationId = ids.objectId();
  await metadata.organizations.insert({ id: organizationId, name: "Organization", createdAtMs: clock.nowMs() });
  const project = await services.projects.create({ name: "Project", organizationId });
  const lease = async (kind: JobKind, leaseMs: number = 60_000): Promise<LeasedJob> => {
    const job = await metadata.jobs.lease([kind], "test", clock.nowMs(), leaseMs);
    assert.ok(job !== undefined, `a due ${kind} job was expected`);
    return job;
  };
  const instance = async (name: string): Promise<string> => {
    const request = { name, backingProviderName: "AWS", regionName: "US_EAST_1" };
    const { id } = await services.serverlessInstances.create(project.id, request);
    await metadata.jobs.finish(await lease("provision"));
    await metadata.deployments.update(id, { state: "IDLE", port: 27_100 });
    return id;
  };
  return { clock, ids, metadata, services, organizationId, projectId: project.id, lease, instance };
}

/** For `assert.rejects` and `assert.throws`: an error of ours with this code and, when given, this message and these parameters. */
export function errorOf(
  kind: AppError["kind"],
  code: string,
  message?: string,
  parameters?: readonly (string | number)[],
): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof AppError, `an AppError, not ${String(error)}`);
    assert.deepEqual([error.kind, error.code], [kind, code]);
    if (message !== undefined) assert.equal(error.message, message);
    if (parameters !== undefined) assert.deepEqual(error.parameters, parameters);
    return true;
  };
}

export const everything = { pageNumber: 1, itemsPerPage: 500, includeCount: true } as const;
