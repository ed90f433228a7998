import type { Actor } from "../domain/access/actor.ts";
import type { RateLimitSet } from "../operations/define-operation.ts";
import type { Clock } from "../ports/clock.ts";
import { AppError } from "../shared/app-error.ts";
import { type BucketRule, type BucketVerdict, TokenBuckets } from "../shared/token-bucket.ts";

const perMinute = (capacity: number, refill: number): BucketRule => ({ capacity, refill, periodSeconds: 60 });

/** Capacities and refills of the vendor's endpoint sets; `scope` says who shares a bucket. */
const sets: Readonly<Record<RateLimitSet, { readonly rule: BucketRule; readonly scope: "project" | "caller" }>> = {
  clusters: { rule: perMinute(10_000, 5000), scope: "project" },
  // Our own: each call may have this server connect to another.
  externalDeployments: { rule: perMinute(60, 60), scope: "project" },
  cloudBackups: { rule: perMinute(1200, 500), scope: "project" },
  databaseUsers: { rule: perMinute(1200, 500), scope: "project" },
  project: { rule: perMinute(1200, 500), scope: "project" },
  projects: { rule: perMinute(1200, 500), scope: "caller" },
  root: { rule: perMinute(300, 100), scope: "caller" },
};

/** Wrong credentials from one address. Requests without any are not counted: every digest call begins with one. */
const wrongCredentials = perMinute(400, 100);
const tokenRequests: BucketRule = { capacity: 50, refill: 50, periodSeconds: 60 };

/** What an answer says of its bucket. */
export interface RateLimitState {
  readonly limit: number;
  readonly remaining: number;
}

export interface RateLimiter {
  /** Takes one request from its set's bucket. Undefined when limits are off. Throws `RATE_LIMITED_TOKEN_BUCKET`. */
  take(set: RateLimitSet, actor: Actor, projectId: string | undefined, path: string): RateLimitState | undefined;
  /** Counts wrong credentials of an address. Throws when there were too many. */
  takeWrongCredentials(address: string, path: string): void;
  /** Counts a request for a token. Throws `RATE_LIMITED`. */
  takeTokenRequest(address: string, clientId: string, path: string): void;
}

/** 429, with the seconds to wait for the header. */
export class RateLimitedError extends AppError {
  readonly retryAfterSeconds: number;
  readonly limit: number;

  constructor(
    code: string,
    message: string,
    parameters: readonly (string | number)[],
    retryAfterSeconds: number,
    limit: number,
  ) {
    super("too_many_requests", code, message, { parameters });
    this.retryAfterSeconds = retryAfterSeconds;
    this.limit = limit;
  }
}

export function createRateLimiter(mode: "atlas" | "off", clock: Clock): RateLimiter {
  if (mode === "off")
    return { take: () => undefined, takeWrongCredentials: () => undefined, takeTokenRequest: () => undefined };
  const buckets = Object.fromEntries(
    Object.entries(sets).map(([name, set]) => [name, new TokenBuckets(set.rule)]),
  ) as Record<RateLimitSet, TokenBuckets>;
  const wrong = new TokenBuckets(wrongCredentials);
  const tokens = new TokenBuckets(tokenRequests);
  return {
    take(set, actor, projectId, path) {
      const scopeId = sets[set].scope === "project" && projectId !== undefined ? projectId : actor.principalId;
      const verdict = buckets[set].take(scopeId, clock.monotonicMs());
      if (!verdict.allowed) throw bucketEmpty(path, sets[set].rule, verdict);
      return { limit: sets[set].rule.capacity, remaining: verdict.remaining };
    },
    takeWrongCredentials(address, path) {
      const verdict = wrong.take(address, clock.monotonicMs());
      if (!verdict.allowed) throw bucketEmpty(path, wrongCredentials, verdict);
    },
    takeTokenRequest(address, clientId, path) {
      const verdict = tokens.take(`${address} ${clientId}`, clock.monotonicMs());
      if (verdict.allowed) return;
      const { capacity } = tokenRequests;
      const message = `Resource ${path} is limited to ${capacity} requests every 1 minutes.`;
      throw new RateLimitedError("RATE_LIMITED", message, [path, capacity, 1], verdict.retryAfterSeconds, capacity);
    },
  };
}

function bucketEmpty(path: string, rule: BucketRule, verdict: BucketVerdict): RateLimitedError {
  const shown = path.replace(/^\//, "");
  const { capacity, refill, periodSeconds } = rule;
  const message = `Rate limit exceeded for ${shown}. Please retry after ${verdict.retryAfterSeconds} seconds. Request capacity: ${capacity}. Refill rate: ${refill} per ${periodSeconds} seconds.`;
  return new RateLimitedError(
    "RATE_LIMITED_TOKEN_BUCKET",
    message,
    [shown, verdict.retryAfterSeconds, capacity, refill, periodSeconds],
    verdict.retryAfterSeconds,
    capacity,
  );
}
