import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { GarbageCollection, garbageCollectionsRoute, presentGarbageCollection } from "./garbage-collection.ts";

/** `POST /api/telamon/v1/store/garbageCollections`: Telamon's own. */
export const createGarbageCollection = defineOperation({
  operationId: "createGarbageCollection",
  tag: "Store",
  summary: "Delete what no snapshot needs",
  description:
    "Answers at once; the collection is done by the server and its result can be asked for. The server does the same by itself every day that there is garbage. Needs Organization Owner of every organization that this server has.",
  method: "POST",
  route: garbageCollectionsRoute,
  extension: true,
  access: { scope: "caller" },
  rateLimit: "projects",
  path: Type.Object({}),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          dryRun: Type.Optional(Type.Boolean({ description: "Tells what would be deleted, and changes nothing." })),
          graceHours: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 8760,
              description: "How long an object must have been found unneeded; 24 when left out.",
            }),
          ),
          maximumRepacks: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 1000,
              description: "Packs written anew at most, of which less than half is needed; 4 when left out.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
      response: GarbageCollection,
      status: 202,
      handler: async ({ actor, body, href }, { access, garbageCollections }) => {
        await access.requireStoreOperator(actor);
        const collection = await garbageCollections.request({
          ...(body.dryRun !== undefined && { dryRun: body.dryRun }),
          ...(body.graceHours !== undefined && { graceMs: body.graceHours * 3_600_000 }),
          ...(body.maximumRepacks !== undefined && { repacksMax: body.maximumRepacks }),
        });
        return presentGarbageCollection(collection, href);
      },
    },
  },
});
