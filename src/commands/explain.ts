import {
  buildDocument,
  documentValue,
  emptyDocument,
  EngineError,
  type ExplainRequest,
  fieldsOf,
  int32Value,
  isNumberType,
  objectValue,
  stringValue,
  type Value,
} from "../engine/index.ts";
import { cursorOptionsOf } from "./cursor-reply.ts";
import { type CommandContext, defineCommand, type Reply } from "./define-command.ts";
import { hintOf } from "./hint.ts";
import { indexLimitsOf } from "./index-limits.ts";
import { requireRights } from "./pipeline-rights.ts";
import { Parameters } from "./parameters.ts";
import { requireAllowed } from "./privileges.ts";
import { updateOf } from "./update.ts";

const verbosities: ReadonlySet<string> = new Set(["queryPlanner", "executionStats", "allPlansExecution"]);

/** `explain`: how a command would find its documents, and with a further verbosity what a run looks at. Nothing is changed by it. */
export const explain = defineCommand({
  name: "explain",
  action: "any",
  run: async (parameters, context) => {
    const command = parameters.document("explain");
    const verbosity = parameters.text("verbosity") ?? "allPlansExecution";
    parameters.rejectUnknown();
    if (command === undefined) throw new EngineError(9, "FailedToParse", "explain command requires a nested object");
    if (!verbosities.has(verbosity))
      throw new EngineError(
        2,
        "BadValue",
        `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`,
      );
    return explained(command, verbosity, context);
  },
});

/** The reply that explains a command. Throws 13 unless the user may run it, 59 for a command that is not explained. */
export async function explained(command: Uint8Array, verbosity: string, context: CommandContext): Promise<Reply> {
  const [first] = [...fieldsOf(command)];
  const name = first?.name ?? "";
  const requestOf = requests.get(name);
  if (requestOf === undefined)
    throw new EngineError(59, "CommandNotFound", `Explain failed due to unknown command: ${name}`);
  const parameters = new Parameters(name, command, new Map());
  const onDatabase = name === "aggregate" && isNumberType(parameters.main.type);
  const collection = onDatabase ? "" : parameters.collection();
  requireUse(name, parameters, collection, context);
  if (name === "aggregate") await requireRights(parameters.main, parameters.requiredDocuments("pipeline"), context);
  const request = requestOf(parameters);
  parameters.rejectUnknown();
  const engine = await context.engine();
  const read = await context.read(engine);
  const namespace = { database: context.database, collection };
  const execute = verbosity !== "queryPlanner";
  const result = await engine.explain(
    namespace,
    { ...request, execute, allPlans: verbosity === "allPlansExecution" },
    read,
  );
  return [
    ["explainVersion", stringValue("1")],
    ...Array.from(fieldsOf(result), (field) => [field.name, field.value] as const),
    ["command", documentValue(buildDocument([...shownFields(command), ["$db", stringValue(context.database)]]))],
    ["serverInfo", serverInfo(context)],
  ];
}

type Request = Omit<ExplainRequest, "execute" | "allPlans">;

const requests: ReadonlyMap<string, (parameters: Parameters) => Request> = new Map(
  Object.entries({
    find: (parameters) => {
      parameters.refuse("tailable", "awaitData");
      parameters.ignore("showRecordId", "batchSize", "singleBatch", "noCursorTimeout", "allowPartialResults");
      return {
        filter: parameters.document("filter") ?? emptyDocument,
        sort: parameters.document("sort"),
        projection: parameters.document("projection"),
        skip: parameters.whole("skip", 0),
        limit: parameters.whole("limit", 0),
        returnKey: parameters.flag("returnKey"),
        allowDiskUse: parameters.flag("allowDiskUse", true),
        ...indexLimitsOf(parameters),
        ...placeOf(parameters),
      };
    },
    count: (parameters) => {
      parameters.ignore("fields");
      const limit = parameters.whole("limit", Number.MIN_SAFE_INTEGER);
      return {
        filter: parameters.document("query") ?? emptyDocument,
        skip: parameters.whole("skip", 0),
        limit: limit === undefined ? undefined : Math.abs(limit),
        count: true,
        ...placeOf(parameters),
      };
    },
    distinct: (parameters) => {
      parameters.requiredText("key");
      return { filter: parameters.document("query") ?? emptyDocument, ...placeOf(parameters) };
    },
    aggregate: (parameters) => {
      const pipeline = parameters.requiredDocuments("pipeline");
      cursorOptionsOf(parameters);
      parameters.ignore("bypassDocumentValidation", "explain");
      const allowDiskUse = parameters.flag("allowDiskUse", true);
      return { filter: emptyDocument, pipeline, allowDiskUse, ...placeOf(parameters) };
    },
    update: (parameters) => {
      parameters.ignore("ordered", "bypassDocumentValidation");
      const statement = onlyStatement("updates", parameters);
      updateOf(statement);
      const multi = statement.flag("multi");
      statement.ignore("upsert", "arrayFilters");
      const request = { filter: statement.document("q") ?? emptyDocument, ...placeOf(statement, parameters) };
      const sort = statement.document("sort");
      statement.rejectUnknown();
      return { ...request, sort, limit: multi ? undefined : 1, change: "update" as const };
    },
    delete: (parameters) => {
      parameters.ignore("ordered");
      const statement = onlyStatement("deletes", parameters);
      const limit = statement.whole("limit", 0);
      const request = { filter: statement.document("q") ?? emptyDocument, ...placeOf(statement, parameters) };
      statement.rejectUnknown();
      return { ...request, limit, change: "delete" as const };
    },
    findAndModify: (parameters) => {
      parameters.ignore("new", "upsert", "fields", "arrayFilters", "bypassDocumentValidation");
      const remove = parameters.flag("remove");
      if (!remove) updateOf(parameters, "update");
      return {
        filter: parameters.document("query") ?? emptyDocument,
        sort: parameters.document("sort"),
        limit: 1,
        change: remove ? ("delete" as const) : ("update" as const),
        ...placeOf(parameters),
      };
    },
  } satisfies Record<string, (parameters: Parameters) => Request>),
);

/** What says how documents are found, by one name in every command. */
function placeOf(
  parameters: Parameters,
  around: Parameters = parameters,
): Pick<Request, "hint" | "collation" | "variables"> {
  return {
    hint: hintOf(parameters.get("hint")),
    collation: parameters.document("collation"),
    variables: around.document("let"),
  };
}

/** The one statement of a write: several are not explained at once. */
function onlyStatement(field: string, parameters: Parameters): Parameters {
  const [statement, more] = parameters.requiredDocuments(field);
  if (statement === undefined || more !== undefined)
    throw new EngineError(72, "InvalidOptions", "explained write batches must be of size 1");
  return Parameters.within(`${parameters.command}.${field}`, statement);
}

function requireUse(name: string, parameters: Parameters, collection: string, context: CommandContext): void {
  const { database } = context;
  const action = context.commands.find((command) => command.name === name)?.action ?? "find";
  const refused = { command: name, main: parameters.main, database };
  requireAllowed(context.connection.user?.credential, action, { database, collection }, refused);
}

/** The command without what belongs to the connection. */
function shownFields(command: Uint8Array): (readonly [string, Value])[] {
  return Array.from(fieldsOf(command), ({ name, value }) => [name, value] as const).filter(
    ([name]) => !name.startsWith("$") && name !== "lsid",
  );
}

function serverInfo({ connection, server }: CommandContext): Value {
  const colon = connection.address.lastIndexOf(":");
  return objectValue([
    ["host", stringValue(connection.address.slice(0, colon))],
    ["port", int32Value(Number(connection.address.slice(colon + 1)))],
    ["version", stringValue(server.serverVersion)],
    ["gitVersion", stringValue("telamon")],
  ]);
}
