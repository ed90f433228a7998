import type { Socket } from "node:net";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { DigestAuthentication } from "../domain/access/digest-authentication.ts";
import type { TokenAuthentication } from "../domain/access/token-authentication.ts";
import type { CareSummary } from "../domain/backups/care-summary.ts";
import type { IncrementTally } from "../domain/backups/increment-tally.ts";
import type { AnyOperation, OperationServices } from "../operations/define-operation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import { createAuthenticator } from "./authenticate.ts";
import { mountDocumentation } from "./documentation.ts";
import { errorAnswer } from "./error-answer.ts";
import { mountErrorHandling, rawAnswer, withoutCharset } from "./error-handling.ts";
import { mountMetrics } from "./metrics.ts";
import { mountOAuthEndpoints } from "./oauth-endpoints.ts";
import { mountOperations } from "./mount-operations.ts";
import { createRateLimiter } from "./rate-limit.ts";
import { mountServiceEndpoints } from "./service-endpoints.ts";

export interface HttpServerOptions {
  readonly operations: readonly AnyOperation[];
  readonly services: OperationServices;
  readonly digest: DigestAuthentication;
  readonly tokens: TokenAuthentication;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly rateLimits: "atlas" | "off";
  /** Base of links, without a trailing slash; undefined: the address that is listened on. */
  readonly publicUrl: string | undefined;
  readonly ready: () => boolean;
  /** For the metrics. */
  readonly careSummary: () => Promise<CareSummary>;
  readonly increments: Pick<IncrementTally, "snapshots" | "checks">;
  readonly version: string;
}

export interface HttpServer {
  /** Answers the base URL of the API. Throws when the address is taken. */
  listen(host: string, port: number): Promise<string>;
  /** Takes no new connections, lets open requests end, then closes. */
  close(): Promise<void>;
}

/** Bytes a request body may have; the largest that is of use has a few KiB. */
export const bodySizeMaxBytes = 1_048_576;
/** Bytes of request line and headers together; beyond it comes 431. */
const headerSizeMaxBytes = 32_768;

/** The HTTP door: everything between a socket and the operations. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = Fastify({
    logger: false,
    bodyLimit: bodySizeMaxBytes,
    // Names may be long (database users: 1024 characters, each up to 12 bytes when percent-encoded).
    routerOptions: { maxParamLength: 16_384, ignoreTrailingSlash: false, caseSensitive: true },
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    http: { maxHeaderSize: headerSizeMaxBytes, headersTimeout: 20_000 },
    forceCloseConnections: "idle",
    return503OnClosing: true,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error as NodeJS.ErrnoException, socket),
    frameworkErrors: (error, _request, reply) => {
      const { status, errorCode, body } = errorAnswer(error);
      void (reply as FastifyReply)
        .code(status)
        .headers({ "content-type": "application/json", "x-error-code": errorCode })
        .send(withoutCharset(body));
    },
  });
  let baseUrl = options.publicUrl ?? "";

  const rateLimiter = createRateLimiter(options.rateLimits, options.clock);
  const authenticator = createAuthenticator(options.digest, options.tokens);
  readBodies(app);
  addStandardHeaders(app, () => baseUrl.startsWith("https:"));
  mountErrorHandling(app, { authenticator, rateLimiter, log: options.log, ids: options.ids });
  mountMetrics(app, options.careSummary, options.increments);
  mountServiceEndpoints(app, { ready: options.ready, databaseVersion: options.services.hosting.serverVersion });
  mountOAuthEndpoints(app, options.tokens, rateLimiter);
  mountOperations(app, {
    operations: options.operations,
    services: options.services,
    authenticator,
    rateLimiter,
    baseUrl: () => baseUrl,
  });
  await mountDocumentation(app, { operations: options.operations, version: options.version, baseUrl: () => baseUrl });

  return {
    async listen(host, port) {
      const address = await app.listen({ host, port });
      baseUrl = options.publicUrl ?? address;
      return baseUrl;
    },
    close: () => app.close(),
  };
}

function readBodies(app: FastifyInstance): void {
  const readJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/(?:vnd\.atlas\.[0-9a-z.-]{1,40}\+)?json(?:\s*;|$)/i,
    { parseAs: "string" },
    (request, body, done) => {
      if (body === "") done(null, undefined);
      else readJson(request, body as string, done);
    },
  );
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
    done(null, new URLSearchParams(body as string));
  });
}

function addStandardHeaders(app: FastifyInstance, secure: () => boolean): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers({
      "referrer-policy": "strict-origin-when-cross-origin",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "x-permitted-cross-domain-policies": "none",
    });
    if (secure()) reply.header("strict-transport-security", "max-age=31536000; includeSubdomains;");
    done();
  });
}

/** A request that could not even be parsed: too long, or no HTTP. Node would answer an empty 400 or nothing. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.removeAllListeners("data");
  // What the client still sends is read and thrown away: closing over unread bytes would reset the connection and lose the answer.
  socket.on("data", () => undefined);
  socket.on("error", () => socket.destroy());
  socket.setTimeout(2000, () => socket.destroy());
  socket.end(rawAnswer(error.code ?? ""));
}
