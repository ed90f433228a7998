import {
  arrayValue,
  boolValue,
  buildDocument,
  compileFilter,
  documentValue,
  doubleValue,
  int64Value,
  isTruthy,
  stringValue,
} from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { seesAllDatabases, seesDatabase, unauthorized } from "./privileges.ts";

/** `listDatabases`: those the user may read something of. */
export const listDatabases = defineCommand({
  name: "listDatabases",
  action: "any",
  adminOnly: true,
  run: async (parameters, context) => {
    const filterBytes = parameters.document("filter");
    const nameOnly = parameters.flag("nameOnly");
    const onlyAuthorized = parameters.get("authorizedDatabases");
    parameters.rejectUnknown();
    const filter = filterBytes === undefined ? undefined : await compileFilter(filterBytes);
    const user = context.connection.user?.credential;
    if (user === undefined) throw unauthorized("listDatabases", parameters.main, context.database);
    const all = seesAllDatabases(user) && (onlyAuthorized === undefined || !isTruthy(onlyAuthorized));
    if (!all && onlyAuthorized !== undefined && !isTruthy(onlyAuthorized))
      throw unauthorized("listDatabases", parameters.main, context.database);
    const engine = await context.engine();
    const databases = (await engine.listDatabases(await context.read(engine)))
      .filter(({ name }) => all || seesDatabase(user, name))
      .map(({ name, sizeOnDiskBytes, empty }) => ({
        sizeOnDiskBytes,
        document: buildDocument(
          nameOnly
            ? [["name", stringValue(name)]]
            : [
                ["name", stringValue(name)],
                ["sizeOnDisk", int64Value(BigInt(sizeOnDiskBytes))],
                ["empty", boolValue(empty)],
              ],
        ),
      }))
      .filter(({ document }) => filter === undefined || filter.matches(document));
    const listed = ["databases", arrayValue(databases.map(({ document }) => documentValue(document)))] as const;
    if (nameOnly) return [listed];
    const totalBytes = databases.reduce((sum, { sizeOnDiskBytes }) => sum + sizeOnDiskBytes, 0);
    return [
      listed,
      ["totalSize", int64Value(BigInt(totalBytes))],
      ["totalSizeMb", doubleValue(Math.floor(totalBytes / 1_048_576))],
    ];
  },
});
