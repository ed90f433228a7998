import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TokenAuthentication } from "../domain/access/token-authentication.ts";
import { AppError } from "../shared/app-error.ts";
import { withoutCharset } from "./error-handling.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** A failure in OAuth's own shape (RFC 6749, section 5.2), keys in the vendor's order. */
class OAuthError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, description: string) {
    super(description);
    this.name = "OAuthError";
    this.status = status;
    this.code = code;
  }
}

interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** `POST /api/oauth/token` and `/api/oauth/revoke` for service accounts. */
export function mountOAuthEndpoints(app: FastifyInstance, tokens: TokenAuthentication, rateLimiter: RateLimiter): void {
  app.post("/api/oauth/token", { config: { operationId: "issueAccessToken" } }, async (request, reply) =>
    answered(reply, async () => {
      const form = formOf(request);
      const client = clientOf(request, form);
      rateLimiter.takeTokenRequest(request.ip, client.clientId, "/api/oauth/token");
      if (single(form, "grant_type") !== "client_credentials")
        throw new OAuthError(400, "unsupported_grant_type", "Invalid grant type.");
      const { accessToken, expiresInSeconds } = await tokens.issue(client.clientId, client.clientSecret);
      return JSON.stringify({ access_token: accessToken, expires_in: expiresInSeconds, token_type: "Bearer" });
    }),
  );
  app.post("/api/oauth/revoke", { config: { operationId: "revokeAccessToken" } }, async (request, reply) =>
    answered(reply, async () => {
      const form = formOf(request);
      const client = clientOf(request, form);
      rateLimiter.takeTokenRequest(request.ip, `revoke ${client.clientId}`, "/api/oauth/revoke");
      const token = single(form, "token");
      if (token === undefined || token === "")
        throw new OAuthError(400, "invalid_request", "The provided credentials are not valid.");
      await tokens.revoke(client.clientId, client.clientSecret, token);
      return "";
    }),
  );
}

async function answered(reply: FastifyReply, work: () => Promise<string>): Promise<FastifyReply> {
  reply.headers({ "cache-control": "no-store", pragma: "no-cache" });
  try {
    const body = await work();
    return body === ""
      ? reply.code(200).send()
      : reply.code(200).header("content-type", "application/json").send(withoutCharset(body));
  } catch (error) {
    const known = asOAuthError(error);
    if (known === undefined) throw error;
    if (known.status === 401) reply.header("www-authenticate", 'Basic realm="Telamon"');
    return reply
      .code(known.status)
      .header("content-type", "application/json")
      .send(withoutCharset(JSON.stringify({ error_description: known.message, error: known.code })));
  }
}

function asOAuthError(error: unknown): OAuthError | undefined {
  if (error instanceof OAuthError) return error;
  if (!(error instanceof AppError)) return undefined;
  if (error.kind === "unauthenticated") return new OAuthError(401, error.code, error.message);
  return error.kind === "forbidden" ? new OAuthError(403, error.code, error.message) : undefined;
}

function formOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
}

/** RFC 6749, section 2.3.1: the Basic header, or both parts in the form; the header's parts are form-encoded by some clients and raw by others. */
function clientOf(request: FastifyRequest, form: URLSearchParams): ClientCredentials {
  const header = request.headers.authorization;
  const encoded = header === undefined ? undefined : /^basic ([A-Za-z0-9+/=_-]{1,2000})$/i.exec(header)?.[1];
  if (header !== undefined && encoded === undefined)
    throw new OAuthError(401, "invalid_client", "Invalid credentials provided.");
  if (encoded === undefined) {
    const clientId = single(form, "client_id");
    const clientSecret = single(form, "client_secret");
    if (clientId === undefined || clientSecret === undefined) {
      throw new OAuthError(400, "invalid_request", "The provided credentials are not valid.");
    }
    return { clientId, clientSecret };
  }
  const text = Buffer.from(encoded, "base64").toString();
  const separator = text.indexOf(":");
  if (separator === -1) throw new OAuthError(401, "invalid_client", "Invalid credentials provided.");
  return { clientId: formDecoded(text.slice(0, separator)), clientSecret: formDecoded(text.slice(separator + 1)) };
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** Undefined when absent; a parameter given twice is refused (RFC 6749, section 3.2). */
function single(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name);
  if (values.length > 1) throw new OAuthError(400, "invalid_request", "The provided credentials are not valid.");
  return values[0];
}
