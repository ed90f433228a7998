import { STATUS_CODES } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import { AppError } from "../shared/app-error.ts";
import type { Authenticator } from "./authenticate.ts";
import { enveloped, prettyPrinted } from "./body-forms.ts";
import { answer, type ErrorAnswer, errorAnswer, unauthenticatedBody } from "./error-answer.ts";
import { RateLimitedError, type RateLimiter } from "./rate-limit.ts";
import { resourceNotFound } from "./request-errors.ts";

interface ErrorHandlingOptions {
  readonly authenticator: Authenticator;
  readonly rateLimiter: RateLimiter;
  readonly log: Log;
  readonly ids: Ids;
}

/** Turns whatever is thrown into the API's error shape, in one place. */
export function mountErrorHandling(app: FastifyInstance, options: ErrorHandlingOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const shown = countWrongCredentials(error, request, options.rateLimiter);
    if (shown instanceof AppError && shown.kind === "unauthenticated")
      return challenge(shown, reply, options.authenticator);
    const answered = errorAnswer(shown);
    if (answered.status >= 500 && answered.status !== 501) logFailure(shown, request, reply, options);
    if (shown instanceof RateLimitedError) {
      reply.headers({
        "retry-after": shown.retryAfterSeconds,
        "ratelimit-limit": shown.limit,
        "ratelimit-remaining": 0,
      });
    }
    return sendError(request, reply, answered);
  });
  app.setNotFoundHandler((request, reply) => sendError(request, reply, errorAnswer(resourceNotFound(pathOf(request)))));
}

/** An answer written to a socket whose request could not be parsed; the connection ends with it. */
export function rawAnswer(code: string): string {
  const { status, body } = brokenRequestAnswer(code);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

function brokenRequestAnswer(code: string): ErrorAnswer {
  if (code === "HPE_HEADER_OVERFLOW") {
    return answer(431, "REQUEST_HEADERS_TOO_LARGE", "The request URL and headers are too large.", []);
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return answer(408, "REQUEST_TIMEOUT", "The request did not arrive in time.", []);
  return answer(400, "INVALID_REQUEST", "The request is not valid HTTP.", []);
}

/** Credentials that were given and are wrong count against the address; a call without any is how every digest exchange begins. */
function countWrongCredentials(error: unknown, request: FastifyRequest, rateLimiter: RateLimiter): unknown {
  if (!(error instanceof AppError) || error.kind !== "unauthenticated") return error;
  if (request.headers.authorization === undefined || (error as { stale?: boolean }).stale === true) return error;
  try {
    rateLimiter.takeWrongCredentials(request.ip, pathOf(request));
    return error;
  } catch (limited) {
    return limited;
  }
}

function challenge(error: AppError, reply: FastifyReply, authenticator: Authenticator): FastifyReply {
  const stale = (error as { stale?: boolean }).stale === true;
  return reply
    .code(401)
    .headers({
      "content-type": "application/json",
      "www-authenticate": authenticator.challenges(stale) as never,
      vary: "Accept-Encoding",
    })
    .send(withoutCharset(unauthenticatedBody));
}

function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, errorCode, body }: ErrorAnswer,
): FastifyReply {
  const query = (request.query ?? {}) as Record<string, unknown>;
  const wrapped = query.envelope === "true" ? enveloped(body, status, false) : body;
  return reply
    .code(status)
    .headers({ "content-type": "application/json", "x-error-code": errorCode, vary: "Accept-Encoding" })
    .send(withoutCharset(query.pretty === "true" ? prettyPrinted(wrapped) : wrapped));
}

/** Fastify adds a charset to text; bytes keep the type that was set, and errors of the API have none. */
export function withoutCharset(text: string): Buffer {
  return Buffer.from(text);
}

function logFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, ids }: ErrorHandlingOptions,
): void {
  const requestId = ids.objectId();
  reply.header("x-request-id", requestId);
  log.error({ requestId, method: request.method, path: pathOf(request), err: error }, "a request failed");
}

function pathOf(request: FastifyRequest): string {
  const target = request.raw.url ?? "";
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}
