import { MongoClient } from "mongodb";
import { startTelamon } from "../telamon-process.ts";

/** A database that is measured, with the driver's client to it. */
export interface BenchServer {
  readonly name: string;
  readonly uri: string;
  readonly client: MongoClient;
  residentBytes(): number;
  stop(): Promise<void>;
}

export type TelamonServer = BenchServer & Pick<Awaited<ReturnType<typeof startTelamon>>, "credentials">;

/** The product as its users start it, with the database of its demo. */
export async function startTelamonServer(folder: string): Promise<TelamonServer> {
  const telamon = await startTelamon(folder, "--demo");
  const uri = telamon.credentials.demo?.connectionString ?? "";
  const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 }).connect();
  return {
    name: "Telamon",
    uri,
    client,
    credentials: telamon.credentials,
    residentBytes: () => telamon.residentBytes(),
    async stop() {
      await client.close();
      await telamon.stop();
    },
  };
}
