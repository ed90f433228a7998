import { setTimeout as pause } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { BlobError, type BlobErrorCode } from "../../ports/blob-store.ts";
import type { Log } from "../../ports/log.ts";
import { failureOf, type S3Failure, WrongAnswer } from "./s3-failure.ts";

export interface RetryLimits {
  /** Times that a request is sent at most. */
  readonly attemptsMax: number;
  /** The same until the server has answered for the first time: whoever sets it up waits to be told what is wrong. */
  readonly firstAttemptsMax: number;
  /** Times that bytes are asked for which come whole and wrong. */
  readonly damagedAttemptsMax: number;
  /** The pause after the first failure lies between 0 and this, and twice that after each further one. */
  readonly firstPauseMs: number;
  readonly pauseMaxMs: number;
  /** Time of one attempt, to the last byte of its answer, beside what its bytes take. */
  readonly attemptMs: number;
  /** Bytes a connection carries at the very least. */
  readonly bytesPerSecondLeast: number;
}

export interface Request {
  /** The S3 operation. */
  readonly operation: string;
  /** What it is about, for people: an object's key or the bucket. */
  readonly what: string;
  /** Bytes of its body or its answer. */
  readonly sizeBytes?: number;
  readonly attemptsMax?: number;
}

/** What came of a request that was refused for good. */
export class S3Refused extends Error {
  readonly failure: S3Failure;

  constructor(failure: S3Failure) {
    super(failure.message);
    this.name = "S3Refused";
    this.failure = failure;
  }
}

/** Sends requests, each within a deadline, and those that failed in passing again after a random pause that grows. */
export class S3Requests {
  readonly client: S3Client;
  /** For people. */
  readonly place: string;
  readonly #limits: RetryLimits;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #log: Log;
  #hasAnswered = false;

  constructor(
    client: S3Client,
    place: string,
    limits: RetryLimits,
    randomBytes: (length: number) => Uint8Array,
    log: Log,
  ) {
    this.client = client;
    this.place = place;
    this.#limits = limits;
    this.#randomBytes = randomBytes;
    this.#log = log;
  }

  /**
   * `work` sends one request and reads the whole of its answer; once it knows how much comes, it may have the time for that. Throws `S3Refused` when the server refused it for good, `BlobError` (`blob_store_failed`, `blob_damaged`)
   * when it could not be asked, and any `BlobError` of `work`.
   */
  async send<Result>(
    request: Request,
    work: (signal: AbortSignal, allow: (sizeBytes: number) => void) => Promise<Result>,
  ): Promise<Result> {
    let damagedCount = 0;
    for (let attempt = 1; ; attempt += 1) {
      const deadline = new AbortController();
      const { signal } = deadline;
      let timer: NodeJS.Timeout | undefined;
      const allow = (sizeBytes: number): void => {
        clearTimeout(timer);
        timer = setTimeout(() => deadline.abort(), this.#attemptMs(sizeBytes));
      };
      allow(request.sizeBytes ?? 0);
      try {
        const result = await work(signal, allow);
        this.#hasAnswered = true;
        return result;
      } catch (error) {
        if (error instanceof BlobError) throw error;
        const failure = failureOf(error, signal.aborted);
        this.#hasAnswered ||= failure.status !== undefined && !failure.mayPass;
        if (!failure.mayPass) throw new S3Refused(failure);
        const isDamage = error instanceof WrongAnswer && error.isDamage;
        if (isDamage) damagedCount += 1;
        const isLast =
          attempt >= (request.attemptsMax ?? this.#attemptsMax()) || damagedCount >= this.#limits.damagedAttemptsMax;
        const { operation, what } = request;
        if (isLast) throw this.failed(isDamage ? "blob_damaged" : "blob_store_failed", request, failure, attempt);
        this.#log.debug(
          { operation, what, attempt, reason: failure.message },
          "a request to the S3 store is sent again",
        );
        await pause(this.#pauseMs(attempt, failure));
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** As `send`, and what the server refuses becomes `blob_store_failed`, or `blob_store_full`. */
  async require<Result>(request: Request, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    try {
      return await this.send(request, work);
    } catch (error) {
      throw this.asBlobError(request, error);
    }
  }

  asBlobError(request: Request, error: unknown): BlobError {
    if (error instanceof BlobError) return error;
    if (!(error instanceof S3Refused)) throw error;
    const { failure } = error;
    const isFull = failure.status === 507 || /Quota|StorageFull|InsufficientStorage/.test(failure.code);
    return this.failed(isFull ? "blob_store_full" : "blob_store_failed", request, failure, 1);
  }

  failed(code: BlobErrorCode, { operation, what }: Request, failure: S3Failure, attempts: number): BlobError {
    const times = attempts === 1 ? "" : `, ${attempts} times`;
    return new BlobError(
      code,
      `the S3 store ${this.place} failed at ${operation} of ${what}${times}: ${failure.message}`,
    );
  }

  #attemptsMax(): number {
    const { attemptsMax, firstAttemptsMax } = this.#limits;
    return this.#hasAnswered ? attemptsMax : firstAttemptsMax;
  }

  #attemptMs(sizeBytes: number): number {
    const { attemptMs, bytesPerSecondLeast } = this.#limits;
    return Math.ceil(attemptMs + (sizeBytes / bytesPerSecondLeast) * 1000);
  }

  #pauseMs(attempt: number, { retryAfterMs }: S3Failure): number {
    const { firstPauseMs, pauseMaxMs } = this.#limits;
    const random = Buffer.from(this.#randomBytes(4)).readUInt32LE() / 2 ** 32;
    const wanted = random * Math.min(pauseMaxMs, firstPauseMs * 2 ** (attempt - 1));
    return Math.min(Math.max(wanted, retryAfterMs ?? 0), pauseMaxMs);
  }
}
