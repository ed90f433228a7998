import type { FastifyInstance } from "fastify";

/** Endpoints beside the API: liveness, readiness, and what the Atlas CLI asks of the same host on its own account. */
export function mountServiceEndpoints(
  app: FastifyInstance,
  options: { readonly ready: () => boolean; readonly databaseVersion: string },
): void {
  app.get("/healthz", async (_request, reply) =>
    reply.header("content-type", "application/json").send('{"status":"ok"}'),
  );
  app.get("/readyz", async (_request, reply) => {
    const ready = options.ready();
    return reply
      .code(ready ? 200 : 503)
      .header("content-type", "application/json")
      .send(ready ? '{"status":"ready"}' : '{"status":"starting"}');
  });

  // The CLI sends usage events unless told not to; they are taken and forgotten.
  for (const path of ["/api/private/v1.0/telemetry/events", "/api/private/unauth/telemetry/events"]) {
    app.post(path, async (_request, reply) => reply.code(204).send());
  }
  app.get("/api/private/ipinfo", async (request, reply) =>
    reply
      .header("content-type", "application/json")
      .send(JSON.stringify({ currentIpv4Address: request.ip.replace(/^::ffff:/, "") })),
  );
  app.get("/api/private/unauth/nds/defaultMongoDBMajorVersion", async (_request, reply) =>
    reply.header("content-type", "text/plain").send(options.databaseVersion.split(".").slice(0, 2).join(".")),
  );
}
