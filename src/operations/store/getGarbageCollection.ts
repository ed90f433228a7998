import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { GarbageCollection, garbageCollectionsRoute, presentGarbageCollection } from "./garbage-collection.ts";

/** `GET /api/telamon/v1/store/garbageCollections/{collectionId}`: Telamon's own. */
export const getGarbageCollection = defineOperation({
  operationId: "getGarbageCollection",
  tag: "Store",
  summary: "Return one collection of garbage that was asked for",
  description:
    "The newest hundred are remembered. Needs Organization Owner of every organization that this server has.",
  method: "GET",
  route: `${garbageCollectionsRoute}/{collectionId}`,
  extension: true,
  access: { scope: "caller" },
  rateLimit: "projects",
  path: Type.Object({ collectionId: Type.String({ minLength: 1, maxLength: 64 }) }),
  versions: {
    "2023-01-01": {
      response: GarbageCollection,
      status: 200,
      handler: async ({ actor, path, href }, { access, garbageCollections }) => {
        await access.requireStoreOperator(actor);
        return presentGarbageCollection(await garbageCollections.get(path.collectionId), href);
      },
    },
  },
});
