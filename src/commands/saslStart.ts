import { boolValue, bsonType, EngineError, int32Value, isTruthy, fieldsOf, textOf, Value } from "../engine/index.ts";
import { defineCommand, type CommandContext, type Reply } from "./define-command.ts";
import { Parameters } from "./parameters.ts";
import { readClientFirst, serverFirst, unknownCredential } from "./scram.ts";

/** `saslStart`: the beginning of a SCRAM-SHA-256 login. */
export const saslStart = defineCommand({
  name: "saslStart",
  action: "open",
  run: async (parameters, context) => beginLogin(parameters, context, context.database),
});

/** The login inside a handshake names its database itself. */
export async function startLogin(body: Uint8Array, context: CommandContext): Promise<Reply> {
  const parameters = new Parameters("saslStart", body, new Map());
  return beginLogin(parameters, context, parameters.text("db") ?? context.database);
}

async function beginLogin(parameters: Parameters, context: CommandContext, database: string): Promise<Reply> {
  const mechanism = parameters.requiredText("mechanism");
  const payload = payloadOf(parameters.get("payload"));
  const options = parameters.document("options");
  parameters.ignore("autoAuthorize", "db", "targetDatabase");
  parameters.rejectUnknown();
  if (mechanism !== "SCRAM-SHA-256")
    throw new EngineError(
      334,
      "MechanismUnavailable",
      `Received authentication for mechanism ${mechanism} which is not enabled`,
    );
  const { server, connection } = context;
  const { username, nonce: clientNonce, bare } = readClientFirst(payload);
  const found =
    username === server.systemUser?.username
      ? server.systemUser
      : await server.directory.findCredential(server.deploymentId, database, username);
  const credential = found?.credential ?? unknownCredential(server.unknownUserKey, username);
  const nonce = clientNonce + Buffer.from(server.ids.randomBytes(24)).toString("base64");
  const challenge = serverFirst(nonce, credential);
  connection.conversation = {
    id: 1,
    username,
    database,
    nonce,
    said: `${bare},${challenge}`,
    found,
    credential,
    skipEmptyExchange:
      options !== undefined &&
      [...fieldsOf(options)].some(({ name, value }) => name === "skipEmptyExchange" && isTruthy(value)),
    proven: false,
  };
  // Whoever logs in is about to ask for something: the file is opened while the client works out its proof. What goes wrong is told to the command that needs it.
  setImmediate(() => void context.engine().catch(() => undefined));
  return [
    ["conversationId", int32Value(1)],
    ["done", boolValue(false)],
    ["payload", binary(challenge)],
  ];
}

/** Text of a SASL payload. */
export function payloadOf(value: Value | undefined): string {
  if (value?.type === bsonType.binData) return Buffer.from(value.bytes().subarray(5)).toString();
  if (value?.type === bsonType.string) return textOf(value);
  throw new EngineError(14, "TypeMismatch", "a SASL payload must be binary data or a string");
}

/** Text as a SASL payload. */
export function binary(text: string): Value {
  const content = Buffer.from(text);
  const bytes = Buffer.alloc(content.length + 5);
  bytes.writeInt32LE(content.length, 0);
  content.copy(bytes, 5);
  return new Value(bsonType.binData, bytes);
}
