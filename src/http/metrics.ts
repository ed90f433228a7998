import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CareSummary } from "../domain/backups/care-summary.ts";
import type { IncrementTally } from "../domain/backups/increment-tally.ts";

/**
 * `GET /metrics` in Prometheus text: process metrics, request durations by operation and status, and how snapshots are kept and proven. No project, instance or caller is
 * named.
 */
export function mountMetrics(
  app: FastifyInstance,
  careSummary: () => Promise<CareSummary>,
  increments: Pick<IncrementTally, "snapshots" | "checks">,
): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: "telamon_http_request_duration_seconds",
    help: "Time from the request's headers to the end of the answer.",
    labelNames: ["operation", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const measureCare = careGauges(registry);
  countIncrements(registry, increments);
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
  app.get("/metrics", async (_request, reply) => {
    measureCare(await careSummary());
    return reply.header("content-type", registry.contentType).send(await registry.metrics());
  });
}

function countIncrements(
  registry: Registry,
  { snapshots, checks }: Pick<IncrementTally, "snapshots" | "checks">,
): void {
  const counter = (name: string, help: string, label: string, counts: Readonly<Record<string, number>>): Counter =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(counts)) this.inc({ [label]: value }, count);
      },
    });
  counter(
    "telamon_snapshots_completed_total",
    "Snapshots completed since the process began: made of the one before and the operation log, or read whole.",
    "way",
    snapshots,
  );
  counter(
    "telamon_increment_checks_total",
    "Snapshots that were made both ways since the process began; a different one calls for attention.",
    "result",
    checks,
  );
}

function careGauges(registry: Registry): (summary: CareSummary) => void {
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry] });
  const held = gauge("telamon_snapshots_held", "Snapshots that somebody holds.");
  const proven = gauge("telamon_snapshots_proven", "Snapshots that were restored on trial and found equal.");
  const failed = gauge("telamon_snapshots_drill_failed", "Snapshots whose last restore on trial failed.");
  const never = gauge(
    "telamon_deployments_never_proven",
    "Deployments that are to be proven and of which no snapshot ever was.",
  );
  const age = gauge(
    "telamon_oldest_proof_age_seconds",
    "Age of the last proof of the deployment that was proven least recently; NaN when none was.",
  );
  return (summary) => {
    held.set(summary.heldSnapshots);
    proven.set(summary.provenSnapshots);
    failed.set(summary.drillFailedSnapshots);
    never.set(summary.neverProvenDeployments);
    age.set(summary.oldestProofAgeMs === undefined ? Number.NaN : summary.oldestProofAgeMs / 1000);
  };
}
