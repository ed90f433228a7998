import type { TObject, TSchema } from "typebox";
import type { AnyOperation } from "../operations/define-operation.ts";
import { sortKeys } from "./sort-keys.ts";

type Json = Record<string, unknown>;

/** Failures every operation may answer, with what they mean here. */
const failures: readonly (readonly [string, string])[] = [
  ["400", "A parameter or the body is not valid."],
  ["401", "No valid credentials, or not the role this needs."],
  ["403", "Not allowed for this caller."],
  ["404", "Not there, or not to be known by this caller."],
  ["406", "No version fits the Accept header."],
  ["409", "It conflicts with what there is."],
  ["429", "Too many requests; Retry-After says when to come back."],
  ["500", "A failure of the server."],
];

const errorSchema: Json = {
  type: "object",
  required: ["error", "errorCode"],
  properties: {
    detail: { type: "string" },
    error: { type: "integer", description: "HTTP status." },
    errorCode: { type: "string" },
    parameters: { type: "array", items: {} },
    reason: { type: "string", description: "HTTP reason phrase." },
  },
};

/** An OpenAPI 3.1 document of the operations, from the schemas they are checked and written with. */
export function openApiDocument(operations: readonly AnyOperation[], version: string, baseUrl: string): Json {
  const schemas: Json = { ApiError: errorSchema };
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.route] ??= {};
    (paths[operation.route] as Json)[operation.method.toLowerCase()] = operationObject(operation, schemas);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Telamon",
      version,
      description:
        "The part of the Atlas Administration API v2 that Telamon serves, and its own extensions (`x-telamon-extension`; those with no place in the vendor's API are below `/api/telamon/v1`). Versions are asked for in Accept: `application/vnd.atlas.2023-01-01+json`.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: baseUrl }],
    tags: [...new Set(operations.map((operation) => operation.tag))].toSorted().map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        DigestAuth: {
          type: "http",
          scheme: "digest",
          description: "API key: public key as user, private key as password.",
        },
        ServiceAccount: {
          type: "oauth2",
          description: "Service account.",
          flows: { clientCredentials: { tokenUrl: `${baseUrl}/api/oauth/token`, scopes: {} } },
        },
      },
    },
    security: [{ ServiceAccount: [] }, { DigestAuth: [] }],
  };
}

function operationObject(operation: AnyOperation, schemas: Json): Json {
  const statuses = Map.groupBy(Object.entries(operation.versions), ([, version]) => String(version.status));
  const responses: Json = {};
  for (const [status, versions] of statuses) {
    const content = versions
      .filter(([, version]) => version.response !== undefined)
      .map(([date, version]) => [
        mediaType(date),
        { schema: answerSchema(version.response as TSchema, operation.list, schemas) },
      ]);
    responses[status] = {
      description: operation.list ? "One page of the list." : "Done.",
      headers: {
        "RateLimit-Limit": { schema: { type: "integer" } },
        "RateLimit-Remaining": { schema: { type: "integer" } },
      },
      ...(content.length === 0 ? {} : { content: Object.fromEntries(content) as Json }),
    };
  }
  for (const [status, description] of failures) {
    responses[status] ??= {
      description,
      content: { "application/json": { schema: { $ref: "#/components/schemas/ApiError" } } },
    };
  }
  const bodies = Object.entries(operation.versions).filter(([, version]) => version.request !== undefined);
  return {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    description: describe(operation),
    ...(operation.extension === true ? { "x-telamon-extension": true } : {}),
    ...(operation.access.scope === "project" ? { "x-telamon-roles": operation.access.anyRole } : {}),
    parameters: [
      ...parameters(operation.path, "path"),
      ...parameters(operation.query, "query"),
      ...sharedParameters(operation.list),
    ],
    ...(bodies.length === 0
      ? {}
      : {
          requestBody: {
            required: true,
            content: Object.fromEntries(
              bodies.map(([date, version]) => [mediaType(date), { schema: version.request }]),
            ) as Json,
          },
        }),
    responses,
  };
}

function describe({ extension, description, otherNames }: AnyOperation): string {
  const own = extension === true ? "**An extension of Telamon**, which the vendor's API does not have.\n\n" : "";
  const also =
    otherNames.length === 0 ? "" : `\n\nAlso known as ${otherNames.map((name) => `\`${name}\``).join(", ")}.`;
  return `${own}${description}${also}`;
}

function mediaType(date: string): string {
  return `application/vnd.atlas.${date}+json`;
}

/** Named schemas go to the components; a list wraps the item's. */
function answerSchema(schema: TSchema, list: boolean, schemas: Json): Json {
  const name = (schema as { $id?: string }).$id;
  if (name !== undefined) schemas[name] = sortKeys(schema);
  const item: Json = name === undefined ? (schema as unknown as Json) : { $ref: `#/components/schemas/${name}` };
  if (!list) return item;
  schemas.Link ??= { type: "object", properties: { href: { type: "string" }, rel: { type: "string" } } };
  return {
    type: "object",
    properties: {
      links: { type: "array", items: { $ref: "#/components/schemas/Link" } },
      results: { type: "array", items: item },
      totalCount: { type: "integer", description: "0 when includeCount is false." },
    },
  };
}

function parameters(schema: TObject, place: "path" | "query"): Json[] {
  const required = new Set((schema as { required?: readonly string[] }).required ?? []);
  return Object.entries(schema.properties).map(([name, property]) => {
    const { description, ...rest } = property as unknown as Json;
    return {
      name,
      in: place,
      required: place === "path" || required.has(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function sharedParameters(list: boolean): Json[] {
  const flag = (name: string, fallback: boolean, description: string): Json => ({
    name,
    in: "query",
    description,
    schema: { type: "boolean", default: fallback },
  });
  const shared = [flag("envelope", false, "Put the status into the body."), flag("pretty", false, "Indent the body.")];
  if (!list) return shared;
  return [
    ...shared,
    flag("includeCount", true, "Whether totalCount is told."),
    { name: "itemsPerPage", in: "query", schema: { type: "integer", minimum: 1, maximum: 500, default: 100 } },
    { name: "pageNum", in: "query", schema: { type: "integer", minimum: 1, default: 1 } },
  ];
}
