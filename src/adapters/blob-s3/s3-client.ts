import { S3Client } from "@aws-sdk/client-s3";

export interface S3Connection {
  /** Undefined: the SDK's own way to AWS. */
  readonly endpoint: string | undefined;
  /** Undefined: as the SDK finds it (AWS_REGION, the profile), or us-east-1 with an endpoint. */
  readonly region: string | undefined;
  /** Whether the bucket's name stands in the path, and not before the host's. */
  readonly pathStyle: boolean;
  /** Undefined: the SDK's chain (environment, profile, web identity, container, machine). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface ConnectionLimits {
  /** Connections at once; what needs more waits. */
  readonly connectionsMax: number;
  readonly connectMs: number;
  /** A connection that brings and takes nothing for so long is given up. */
  readonly silenceMs: number;
}

/** The SDK tells the console otherwise; what an operator should know is in the errors and the log. */
const silence = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** The SDK's client, which sends every request once. */
export function createClient(options: S3Connection, limits: ConnectionLimits): S3Client {
  const { endpoint, credentials } = options;
  const region = options.region ?? (endpoint === undefined ? undefined : "us-east-1");
  const agent = { keepAlive: true, maxSockets: limits.connectionsMax };
  const client = new S3Client({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: options.pathStyle,
    logger: silence,
    // Attempts are counted here, where the answer's body is part of them.
    maxAttempts: 1,
    // Ours are given with every object, and compared when it is read.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: limits.connectMs,
      socketTimeout: limits.silenceMs,
      httpAgent: agent,
      httpsAgent: agent,
      // It would tell standard error when requests wait for a connection, as they shall.
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
    },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      const { ChecksumSHA256 } = args.input as { readonly ChecksumSHA256?: string };
      // The signature covers the body's SHA-256, so that every server has to compare it. Without this the SDK hashes a body once more, and sends a stream unsigned.
      if (ChecksumSHA256 !== undefined) {
        const { headers } = args.request as { readonly headers: Record<string, string> };
        headers["x-amz-content-sha256"] = Buffer.from(ChecksumSHA256, "base64").toString("hex");
      }
      return next(args);
    },
    { step: "build", name: "telamonSignsBody" },
  );
  return client;
}
