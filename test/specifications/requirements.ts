import type { MongoClient } from "mongodb";
import type { Arguments, Requirement } from "./test-file.ts";

/** The server under test, as requirements ask for it. */
export interface ServerUnderTest {
  readonly version: string;
  readonly parameters: Arguments;
  /** Whether faults can be ordered by `configureFailPoint`. */
  readonly failPoints: boolean;
}

/** Asks the server itself. */
export async function describeServer(client: MongoClient): Promise<ServerUnderTest> {
  const admin = client.db("admin");
  const { version } = await admin.command({ buildInfo: 1 });
  const asked = ["enableTestCommands", "acceptApiVersion2", "requireApiVersion"];
  const parameters: Record<string, unknown> = {};
  for (const name of asked) {
    const answer = await admin.command({ getParameter: 1, [name]: 1 }).catch(() => ({}));
    if (name in answer) parameters[name] = Boolean((answer as Arguments)[name]);
  }
  const failPoints = await admin.command({ configureFailPoint: "failCommand", mode: "off" }).then(
    () => true,
    () => false,
  );
  return { version: String(version), parameters, failPoints };
}

/** Why a test does not apply to this server; nothing when one of the requirements is met, or there are none. */
export function unmet(requirements: readonly Requirement[] | undefined, server: ServerUnderTest): string | undefined {
  if (requirements === undefined) return undefined;
  const reasons = requirements.map((requirement) => reasonAgainst(requirement, server));
  return reasons.includes(undefined) ? undefined : reasons.join("; ");
}

function reasonAgainst(requirement: Requirement, server: ServerUnderTest): string | undefined {
  const { minServerVersion, maxServerVersion, topologies, auth, serverless, csfle } = requirement;
  if (minServerVersion !== undefined && compareVersions(server.version, minServerVersion) < 0)
    return `needs ${minServerVersion} or newer`;
  if (maxServerVersion !== undefined && compareVersions(server.version, maxServerVersion) > 0)
    return `needs ${maxServerVersion} or older`;
  if (topologies !== undefined && !topologies.includes("replicaset")) return `needs ${topologies.join(" or ")}`;
  if (auth === false) return "needs a server without logins";
  if (serverless === "require") return "needs the vendor's serverless";
  if (csfle !== undefined && csfle !== false) return "needs client-side encryption";
  for (const [name, value] of Object.entries(requirement.serverParameters ?? {}))
    if (server.parameters[name] !== value) return `needs the parameter ${name}=${String(value)}`;
  return undefined;
}

function compareVersions(left: string, right: string): number {
  const [one, other] = [left, right].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (let part = 0; part < 3; part += 1) {
    const difference = (one[part] ?? 0) - (other[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
