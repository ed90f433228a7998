/** What the server, or the way to it, said to one request. Nothing of the request is kept: its headers hold credentials. */
export interface S3Failure {
  /** The server's code, or Node's for a connection. */
  readonly code: string;
  /** One sentence for people. */
  readonly message: string;
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  readonly mayPass: boolean;
  /** What the server asked for. */
  readonly retryAfterMs: number | undefined;
}

/** An answer that cannot be true: cut short, not what was asked for, not the bytes that were put. Asked for again. */
export class WrongAnswer extends Error {
  /** Whether bytes came whole and are not those that were put. */
  readonly isDamage: boolean;

  constructor(message: string, isDamage = false) {
    super(message);
    this.name = "WrongAnswer";
    this.isDamage = isDamage;
  }
}

/** Every answer of S3 about an object has its tag; what has none comes from something in between. */
export function requireTag({ ETag }: { readonly ETag?: string | undefined }): string {
  if (ETag === undefined || ETag === "") throw new WrongAnswer("the answer is not of S3: it has no ETag");
  return ETag;
}

/** Refusals (status 400 to 499) of what came about on the way or at a bad moment. */
const passingCodes: ReadonlySet<string> = new Set([
  "BadDigest",
  "ConditionalRequestConflict",
  "IncompleteBody",
  "OperationAborted",
  "RequestTimeTooSkewed",
  "RequestTimeout",
  "SlowDown",
  "TemporaryRedirect",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);
const passingStatuses: ReadonlySet<number> = new Set([307, 408, 425, 429]);

const explanations: Readonly<Record<string, string>> = {
  AuthorizationHeaderMalformed: "the bucket is in another region (--s3-region)",
  CredentialsProviderError: "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  ExpiredToken: "the credentials have expired",
  InvalidAccessKeyId: "the server does not know the access key",
  InvalidBucketName: "the bucket's name is none",
  InvalidToken: "the session token is not valid",
  NoSuchBucket: "there is no such bucket",
  XAdminUserNotFound: "the server does not know the access key",
  NotImplemented: "the server has not built this",
  PermanentRedirect: "the bucket is in another region (--s3-region) or at another address (--s3-endpoint)",
  RegionMissing: "there is no region: give --s3-region, or set AWS_REGION",
  RequestTimeTooSkewed: "the clock of this machine and the server's are too far apart",
  SignatureDoesNotMatch: "the secret access key is wrong",
  AccessDenied: "the credentials may not do this",
  ECONNREFUSED: "nobody listens at the endpoint",
  ENOTFOUND: "the endpoint's name is not known",
};

interface ThrownBySdk {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

export function failureOf(error: unknown, timedOut: boolean): S3Failure {
  const thrown = error as ThrownBySdk;
  const status = thrown.$metadata?.httpStatusCode;
  const code = timedOut ? "TimeoutError" : codeOf(thrown, status);
  const said = timedOut ? "there was no whole answer in time" : firstLine(thrown.message);
  const explanation = explanations[code];
  return {
    code,
    message: explanation === undefined ? `${code}: ${said}` : `${explanation} (${code}: ${said})`,
    status,
    mayPass: timedOut || mayPass(code, status),
    retryAfterMs: retryAfterMsOf(thrown),
  };
}

/** A status without a code is what an answer to HEAD has, which has no body. */
function codeOf(thrown: ThrownBySdk, status: number | undefined): string {
  // The SDK has no code for this one.
  if (thrown.message === "Region is missing") return "RegionMissing";
  if (typeof thrown.code === "string") return thrown.code;
  const name = typeof thrown.name === "string" ? thrown.name : "Error";
  if (status === 403 && !/^[A-Z][A-Za-z]+$/.test(name)) return "AccessDenied";
  if (name === "Forbidden") return "AccessDenied";
  if (status === 301) return "PermanentRedirect";
  return name;
}

function mayPass(code: string, status: number | undefined): boolean {
  if (passingCodes.has(code)) return true;
  // No answer: the connection, unless it is a certificate or a setting.
  if (status === undefined || status < 300)
    return !/^(CERT_|ERR_TLS_|ERR_INVALID|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CredentialsProviderError|RegionMissing)/.test(
      code,
    );
  return (status >= 500 && status !== 501) || passingStatuses.has(status);
}

function retryAfterMsOf({ $response }: ThrownBySdk): number | undefined {
  const seconds = Number($response?.headers?.["retry-after"]);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function firstLine(message: unknown): string {
  return (typeof message === "string" ? (message.split("\n")[0] ?? "") : "").slice(0, 300);
}
