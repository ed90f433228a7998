import { createRequire } from "node:module";
import { dirname } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import type { AnyOperation } from "../operations/define-operation.ts";
import { openApiDocument } from "./openapi.ts";

interface DocumentationOptions {
  readonly operations: readonly AnyOperation[];
  readonly version: string;
  readonly baseUrl: () => string;
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Telamon API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
<link rel="icon" href="docs/assets/favicon-32x32.png">
</head>
<body>
<div id="reference"></div>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
`;

const script = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  filter: true,
  showExtensions: true,
  validatorUrl: null,
});
`;

// Everything comes from here: the viewer needs inline styles, but no inline script and no other host.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/openapi.json` and a readable page at `/docs`, all of it served from this process. */
export async function mountDocumentation(app: FastifyInstance, options: DocumentationOptions): Promise<void> {
  let document: string | undefined;
  app.get("/openapi.json", async (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(options.operations, options.version, options.baseUrl()));
    return reply.header("content-type", "application/json").send(document);
  });
  app.get("/docs", async (_request, reply) =>
    reply
      .headers({ "content-type": "text/html; charset=utf-8", "content-security-policy": contentSecurityPolicy })
      .send(page),
  );
  app.get("/docs/page.js", async (_request, reply) =>
    reply.header("content-type", "text/javascript; charset=utf-8").send(script),
  );
  await app.register(fastifyStatic, {
    root: dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json")),
    prefix: "/docs/assets/",
    index: false,
    allowedPath: (path) => /^\/(swagger-ui\.css|swagger-ui-bundle\.js|favicon-32x32\.png)$/.test(path),
    decorateReply: false,
  });
}
