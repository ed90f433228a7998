import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";

/** An answer as the API gave it, to be given again without any work. */
export interface SampleAnswer {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The floor: a node:http server in a process of its own that answers everything with the same bytes. */
export async function startBareServer(sample: SampleAnswer): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = fork(import.meta.filename, ["serve"], { stdio: "inherit" });
  child.send(sample);
  const [port] = (await once(child, "message")) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

if (process.argv[2] === "serve" && process.send !== undefined) {
  process.once("message", (message) => {
    const sample = message as SampleAnswer;
    const body = Buffer.from(sample.body);
    const headers = { ...sample.headers, "content-length": String(body.length) };
    const server = createServer((_request, response) => {
      response.writeHead(200, headers).end(body);
    });
    server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  });
}
