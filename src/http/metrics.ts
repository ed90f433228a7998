import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** `GET /metrics` in Prometheus text: process metrics and request durations by operation and status. No project, instance or caller is named. */
export function mountMetrics(app: FastifyInstance): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: "telamon_http_request_duration_seconds",
    help: "Time from the request's headers to the end of the answer.",
    labelNames: ["operation", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  // The series of each pair, so that its labels need not be put together for every request; there are few operations and fewer statuses.
  const series = new Map<string, ReturnType<typeof durations.labels>>();
  app.addHook("onResponse", (request, reply, done) => {
    const { operationId: operation = "other" } = request.routeOptions.config as { operationId?: string };
    const name = `${operation} ${reply.statusCode}`;
    const known = series.get(name) ?? durations.labels({ operation, status: String(reply.statusCode) });
    series.set(name, known);
    known.observe(reply.elapsedTime / 1000);
    done();
  });
  app.get("/metrics", async (_request, reply) =>
    reply.header("content-type", registry.contentType).send(await registry.metrics()),
  );
}
