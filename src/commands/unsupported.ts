import { EngineError } from "../engine/index.ts";

/** Commands of MongoDB that this server knows of and does not have; anything else is simply not a command. */
const known = new Set([
  "analyze",
  "cloneCollectionAsCapped",
  "compact",
  "filemd5",
  "mapReduce",
  "planCacheClear",
  "reIndex",
  "replSetReconfig",
  "setFeatureCompatibilityVersion",
  "shardCollection",
  "shutdown",
  "dbHash",
]);

/** Of search indexes, which MongoDB has where the vendor's search runs beside it. */
const search = new Set(["createSearchIndexes", "dropSearchIndex", "listSearchIndexes", "updateSearchIndex"]);

/** 31082 for search indexes, as from a MongoDB without the vendor's search; 238 for what MongoDB has and this does not, 59 for what nobody has. */
export function unsupportedCommand(name: string): EngineError {
  if (known.has(name))
    return new EngineError(238, "NotImplemented", `the command ${name} is not supported by this server`);
  if (search.has(name))
    return new EngineError(
      31_082,
      "SearchNotEnabled",
      `${name} needs Atlas Search, which this server has not; connect to Atlas to use it`,
    );
  return new EngineError(59, "CommandNotFound", `no such command: '${name}'`);
}
