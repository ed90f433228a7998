/** How many requests a bucket takes at once, and how many it gets back each period. */
export interface BucketRule {
  readonly capacity: number;
  readonly refill: number;
  readonly periodSeconds: number;
}

export interface BucketVerdict {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Whole seconds until there is a token again; 0 when allowed. */
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  /** When the current period began, milliseconds of a monotonic clock. */
  periodBeganMs: number;
}

/** Buckets kept at most; when there are more, those that are full again are forgotten first, which changes nothing for anyone. */
const bucketsMax = 50_000;

/** Token buckets by key, all of one rule. Refilled in whole periods, as the API's own texts say ("5 per 60 seconds"). */
export class TokenBuckets {
  readonly rule: BucketRule;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rule: BucketRule) {
    this.rule = rule;
  }

  take(key: string, nowMs: number): BucketVerdict {
    const bucket = this.#refilled(key, nowMs);
    if (bucket.tokens > 0) {
      bucket.tokens -= 1;
      return { allowed: true, remaining: bucket.tokens, retryAfterSeconds: 0 };
    }
    const nextPeriodMs = bucket.periodBeganMs + this.rule.periodSeconds * 1000;
    return { allowed: false, remaining: 0, retryAfterSeconds: Math.max(1, Math.ceil((nextPeriodMs - nowMs) / 1000)) };
  }

  #refilled(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    if (known === undefined) {
      if (this.#buckets.size >= bucketsMax) this.#forget(nowMs);
      const bucket = { tokens: this.rule.capacity, periodBeganMs: nowMs };
      this.#buckets.set(key, bucket);
      return bucket;
    }
    const periods = Math.floor((nowMs - known.periodBeganMs) / (this.rule.periodSeconds * 1000));
    if (periods > 0) {
      known.tokens = Math.min(this.rule.capacity, known.tokens + periods * this.rule.refill);
      known.periodBeganMs += periods * this.rule.periodSeconds * 1000;
    }
    return known;
  }

  #forget(nowMs: number): void {
    for (const key of this.#buckets.keys()) {
      if (this.#refilled(key, nowMs).tokens >= this.rule.capacity) this.#buckets.delete(key);
    }
    // Everybody is in debt: the oldest go, so that memory stays bounded whatever comes.
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < bucketsMax) break;
      this.#buckets.delete(key);
    }
  }
}
