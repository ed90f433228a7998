import assert from "node:assert/strict";
import type { Document } from "mongodb";
import { runTelamon } from "./run-telamon.ts";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  startTelamon,
  takeSnapshot,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./telamon-process.ts";

/** A server to which deployments elsewhere are attached. */
export interface ExternalWorld {
  readonly telamon: TelamonProcess;
  readonly dataDirectory: string;
  /** A call below the project's external deployments. */
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Document }>;
  /** Takes a snapshot and waits for its end, good or bad. */
  snapshot(name: string): Promise<Document>;
  /** A call below the project's deployments of every kind. */
  callAny(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Document }>;
  /** Takes a snapshot of an instance and answers its id when it is completed. */
  snapshotInstance(name: string): Promise<string>;
  /** Restores a snapshot of a deployment of whatever kind and waits for its end, good or bad. */
  restore(name: string, request: Document): Promise<Document>;
  /** Makes an instance and answers a connection string of a user who may do everything. */
  instance(name: string): Promise<string>;
  /** Stops the server, restores every snapshot on trial by the command line, and starts the server again. */
  drill(): Promise<readonly { readonly id: string; readonly proven: boolean }[]>;
  stop(): Promise<void>;
}

export async function startExternalWorld(ports: string, ...flags: readonly string[]): Promise<ExternalWorld> {
  const data = temporaryDataDirectory();
  const start = (): Promise<TelamonProcess> => startTelamon(data.path, "--engine-port-range", ports, ...flags);
  let telamon = await start();
  let caller: ApiCaller = await apiCaller(telamon.credentials);
  const { groupId } = telamon.credentials;
  const user = { username: "everything", password: "a long password" };
  let hasUser = false;
  const request = async (method: string, path: string, body?: unknown) => {
    const answer = await caller.request(method, path, body);
    return { status: answer.status, body: (answer.body ?? {}) as Document };
  };
  const call = (method: string, path: string, body?: unknown) =>
    request(method, `/api/telamon/v1/groups/${groupId}/externalDeployments${path}`, body);
  const callAny = (method: string, path: string, body?: unknown) =>
    request(method, `/api/telamon/v1/groups/${groupId}/deployments${path}`, body);
  return {
    get telamon() {
      return telamon;
    },
    dataDirectory: data.path,
    call,
    callAny,
    async snapshot(name) {
      const { status, body } = await call("POST", `/${name}/snapshots`, { retentionInDays: 1 });
      assert.equal(status, 200, JSON.stringify(body));
      return eventually("the snapshot to end", async () => {
        const now = (await call("GET", `/${name}/snapshots/${body["id"]}`)).body;
        return ["completed", "failed"].includes(now["status"] as string) ? now : undefined;
      });
    },
    async snapshotInstance(name) {
      const { id, status } = await takeSnapshot(caller, `/api/atlas/v2/groups/${groupId}/serverless/${name}`);
      assert.equal(status, "completed");
      return id;
    },
    async restore(name, wanted) {
      const { status, body } = await callAny("POST", `/${name}/restoreJobs`, wanted);
      assert.equal(status, 200, JSON.stringify(body));
      return eventually("the restore to end", async () => {
        const now = (await callAny("GET", `/${name}/restoreJobs/${body["id"]}`)).body;
        return now["status"] === "inProgress" ? undefined : now;
      });
    },
    async instance(name) {
      const project = `/api/atlas/v2/groups/${groupId}`;
      if (!hasUser) {
        hasUser = true;
        const roles = [{ databaseName: "admin", roleName: "atlasAdmin" }];
        await request("POST", `${project}/databaseUsers`, { databaseName: "admin", ...user, roles });
      }
      await request("POST", `${project}/serverless`, {
        name,
        providerSettings: { backingProviderName: "AWS", providerName: "SERVERLESS", regionName: "US_EAST_1" },
      });
      const address = await eventually("the instance", async () => {
        const { body } = await request("GET", `${project}/serverless/${name}`);
        return body["stateName"] === "IDLE"
          ? (body["connectionStrings"] as { readonly standard: string }).standard
          : undefined;
      });
      return address.replace("mongodb://", `mongodb://${user.username}:${encodeURIComponent(user.password)}@`);
    },
    async drill() {
      await telamon.stop();
      const { output, complaints } = await runTelamon(["drill", "--json", "--data-dir", data.path]);
      assert.equal(complaints, "");
      telamon = await start();
      caller = await apiCaller(telamon.credentials);
      return (JSON.parse(output) as { readonly drills: readonly { readonly id: string; readonly proven: boolean }[] })
        .drills;
    },
    async stop() {
      await telamon.stop();
      data.remove();
    },
  };
}
