import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { type TSchema, Type } from "typebox";
import type { Actor } from "../domain/access/actor.ts";
import type { AnyOperation, AnyVersion, OperationServices, ShownPage } from "../operations/define-operation.ts";
import { Link } from "../operations/shapes.ts";
import type { ProjectRecord } from "../ports/metadata/project-records.ts";
import type { PageRequest } from "../shared/page.ts";
import type { Authenticator } from "./authenticate.ts";
import { type Body, BodyMemory } from "./body-memory.ts";
import { enveloped, prettyPrinted } from "./body-forms.ts";
import { createBodyCheck, createPathCheck, createQueryCheck, type ValueCheck } from "./check-values.ts";
import { createVersionNegotiator } from "./negotiate-version.ts";
import { pageLinks, type QueryValues, readFlag, readPage } from "./paging.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { malformedJson } from "./request-errors.ts";
import { writingSchema } from "./sort-keys.ts";

export interface MountOptions {
  readonly operations: readonly AnyOperation[];
  readonly services: OperationServices;
  readonly authenticator: Authenticator;
  readonly rateLimiter: RateLimiter;
  /** Base of links, without a trailing slash; known once the server listens. */
  readonly baseUrl: () => string;
}

/** What was found out about a request before its body was read. */
interface RequestContext {
  readonly actor: Actor;
  readonly project: ProjectRecord | undefined;
  readonly version: string;
}

interface MountedVersion extends AnyVersion {
  readonly checkBody: ValueCheck | undefined;
  readonly responseSchema: TSchema | undefined;
  readonly contentType: string;
}

const defaultPage: PageRequest = { pageNumber: 1, itemsPerPage: 100, includeCount: true };
const contexts = new WeakMap<FastifyRequest, RequestContext>();

/** Makes a route of every operation. All that operations share happens here, in one order: who, which version, which project, which role, then the values. */
export function mountOperations(app: FastifyInstance, options: MountOptions): void {
  const listBody = listBodies(options.baseUrl);
  for (const operation of options.operations) mountOperation(app, operation, options, listBody);
  refuseOtherMethods(app, options.operations);
}

function mountOperation(
  app: FastifyInstance,
  operation: AnyOperation,
  options: MountOptions,
  listBody: ReturnType<typeof listBodies>,
): void {
  const { services, authenticator, rateLimiter } = options;
  const negotiate = createVersionNegotiator(Object.keys(operation.versions));
  const checkPath = createPathCheck(operation.path);
  const checkQuery = createQueryCheck(operation.query);
  const versions = new Map(
    Object.entries(operation.versions).map(([date, version]) => [date, mountVersion(date, version, operation.list)]),
  );
  const href = (path: string): string => options.baseUrl() + path;
  const { access } = operation;

  app.route({
    method: operation.method,
    url: fastifyPath(operation.route),
    exposeHeadRoute: false,
    config: { operationId: operation.operationId },
    onRequest: async (request, reply) => {
      const { method, url = "" } = request.raw;
      const actor = await authenticator.authenticate(method ?? "", url, request.headers.authorization);
      const { groupId } = request.params as { groupId?: string };
      const version = negotiate(request.headers.accept);
      const project = access.scope === "project" ? await services.access.seeProject(actor, groupId ?? "") : undefined;
      const limit = rateLimiter.take(operation.rateLimit, actor, project?.id, pathOf(url));
      if (limit !== undefined)
        reply.headers({ "ratelimit-limit": limit.limit, "ratelimit-remaining": limit.remaining });
      if (access.scope === "project" && project !== undefined)
        services.access.requireRole(actor, project, access.anyRole);
      contexts.set(request, { actor, project, version });
    },
    handler: async (request, reply) => {
      const context = contexts.get(request);
      const version = versions.get(context?.version ?? "");
      if (context === undefined || version === undefined) throw new Error("a request came past its checks");
      const query = request.query as QueryValues;
      const page = operation.list ? readPage(query) : defaultPage;
      const envelope = readFlag(query, "envelope", false);
      const pretty = readFlag(query, "pretty", false);
      checkPath(request.params);
      checkQuery(query);
      checkBody(version, request.body);
      const result = await version.handler(
        {
          path: request.params,
          query,
          body: request.body,
          page,
          actor: context.actor,
          project: context.project,
          href,
        } as never,
        services,
      );
      const target = request.raw.url ?? "";
      const body = operation.list
        ? listBody(reply, version, result as ShownPage<unknown>, target, page)
        : objectBody(reply, version, result);
      return send(reply, version, operation.list, body, envelope, pretty);
    },
  });
}

function mountVersion(date: string, version: AnyVersion, list: boolean): MountedVersion {
  const response = version.response === undefined ? undefined : writingSchema(version.response);
  const responseSchema =
    response === undefined || !list
      ? response
      : writingSchema(
          Type.Object({ links: Type.Array(Link), results: Type.Array(response), totalCount: Type.Integer() }),
        );
  return {
    ...version,
    responseSchema,
    checkBody: version.request === undefined ? undefined : createBodyCheck(version.request),
    contentType: `application/vnd.atlas.${date}+json;charset=utf-8`,
  };
}

function checkBody(version: MountedVersion, body: unknown): void {
  // Nothing where something is expected is no JSON document, and is said so before any attribute is missed.
  if (version.checkBody !== undefined && body === undefined) throw malformedJson();
  version.checkBody?.(body);
}

function objectBody(reply: FastifyReply, version: MountedVersion, result: unknown): string {
  return version.responseSchema === undefined ? "" : serializer(reply, version.responseSchema)(result);
}

function serializer(reply: FastifyReply, schema: TSchema): (value: unknown) => string {
  const found = reply.getSerializationFunction(schema as never) ?? reply.compileSerializationSchema(schema as never);
  return found as unknown as (value: unknown) => string;
}

function send(
  reply: FastifyReply,
  version: MountedVersion,
  list: boolean,
  body: Body,
  envelope: boolean,
  pretty: boolean,
): FastifyReply {
  const status = envelope && version.status === 204 ? 200 : version.status;
  reply.code(status).header("content-type", version.contentType);
  if (status === 204) return reply.send();
  if (!envelope && !pretty) return typeof body === "string" ? reply.serializer(asIs).send(body) : reply.send(body);
  const text = typeof body === "string" ? body : body.toString();
  const wrapped = envelope ? enveloped(text, version.status, list) : text;
  return reply.serializer(asIs).send(pretty ? prettyPrinted(wrapped) : wrapped);
}

/** Page and links as text; what was written for the same page and target before is used again. */
function listBodies(
  baseUrl: () => string,
): (
  reply: FastifyReply,
  version: MountedVersion,
  result: ShownPage<unknown>,
  target: string,
  page: PageRequest,
) => Body {
  const memory = new BodyMemory();
  return (reply, version, result, target, page) => {
    const kept = result.source === undefined ? undefined : memory.find(target, result.source);
    if (kept !== undefined) return kept;
    const links = pageLinks(baseUrl(), target, page, result.hasNext);
    const body = serializer(
      reply,
      version.responseSchema as TSchema,
    )({ links, results: result.items, totalCount: result.totalCount });
    return result.source === undefined ? body : memory.keep(target, result.source, body);
  };
}

const asIs = (text: unknown): string => text as string;

/** 405 with an empty body and what would be allowed, for every path that exists. */
function refuseOtherMethods(app: FastifyInstance, operations: readonly AnyOperation[]): void {
  const all: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  const methodsOf = Map.groupBy(operations, (operation) => fastifyPath(operation.route));
  for (const [url, ofPath] of methodsOf) {
    const allowed = ofPath.map((operation) => operation.method);
    const allow = [...new Set([...allowed, "OPTIONS"])].join(",");
    app.route({
      method: all.filter((method) => !(allowed as readonly string[]).includes(method)),
      url,
      // The body is of no interest; without this a bad one would be answered instead.
      onRequest: async (request, reply) =>
        reply
          .code(request.method === "OPTIONS" ? 200 : 405)
          .header("allow", allow)
          .send(),
      handler: async (_request, reply) => reply.send(),
    });
  }
}

/** `/a/{b}` as Fastify writes it. */
function fastifyPath(route: string): string {
  return route.replaceAll(/\{([A-Za-z]+)\}/g, ":$1");
}

function pathOf(target: string): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}
