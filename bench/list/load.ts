import autocannon from "autocannon";
import type { CallPlan } from "./plan.ts";

export interface Measurement {
  /** Answered calls; with a challenge before each, two requests are one call. */
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Calls `baseUrl` from 10 kept connections for so long, after a warm-up of a second. Throws when any answer is not the expected one. */
export async function measure(baseUrl: string, plan: CallPlan, seconds: number): Promise<Measurement> {
  await load(baseUrl, plan, 1);
  return load(baseUrl, plan, seconds);
}

async function load(baseUrl: string, plan: CallPlan, seconds: number): Promise<Measurement> {
  const authorized: autocannon.Request = {
    method: "GET",
    path: plan.path,
    setupRequest: (request, context) => {
      const { challenge } = context as { challenge?: string };
      return {
        ...request,
        headers: { ...request.headers, accept: plan.accept, authorization: plan.authorization(challenge) },
      };
    },
  };
  const challenge: autocannon.Request = {
    method: "GET",
    path: plan.path,
    headers: { accept: plan.accept },
    onResponse: (_status, _body, context, headers) => {
      const value =
        (headers as Record<string, string> | undefined)?.["www-authenticate"] ??
        (headers as Record<string, string> | undefined)?.["WWW-Authenticate"];
      Object.assign(context, { challenge: value });
    },
  };
  const result = await autocannon({
    url: baseUrl,
    connections: 10,
    duration: seconds,
    requests: plan.challengeFirst ? [challenge, authorized] : [authorized],
  });
  const unauthorized = result["4xx"];
  const allowed = plan.challengeFirst ? result["2xx"] + 20 : 0;
  if (result.errors > 0 || result["5xx"] > 0 || unauthorized > allowed) {
    throw new Error(`${plan.path}: ${result.errors} errors, ${unauthorized} 4xx, ${result["5xx"]} 5xx`);
  }
  return {
    requestsPerSecond: result.requests.average / (plan.challengeFirst ? 2 : 1),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}
