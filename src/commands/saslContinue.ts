import { boolValue, EngineError, int32Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { sessionOwnerOf } from "./session-fields.ts";
import { binary, payloadOf } from "./saslStart.ts";
import { authenticationFailed, checkClientFinal } from "./scram.ts";
import { failuresMax } from "./login-guard.ts";

/** `saslContinue`: the proof, and for some clients one empty exchange after it. */
export const saslContinue = defineCommand({
  name: "saslContinue",
  action: "open",
  run: async (parameters, context) => {
    const { connection, server } = context;
    const payload = payloadOf(parameters.get("payload"));
    const conversationId = parameters.whole("conversationId", 0);
    parameters.rejectUnknown();
    const { conversation } = connection;
    if (conversation === undefined) throw new EngineError(17, "ProtocolError", "No SASL session state found");
    if (conversationId !== conversation.id)
      throw new EngineError(17, "ProtocolError", "sasl: Mismatched conversation id");
    if (conversation.proven) {
      connection.conversation = undefined;
      return [
        ["conversationId", int32Value(1)],
        ["done", boolValue(true)],
        ["payload", binary("")],
      ];
    }
    try {
      const signature = checkClientFinal(payload, conversation);
      if (conversation.found === undefined) throw authenticationFailed();
      const { username, database } = conversation;
      const sessionOwner = sessionOwnerOf(username, database);
      const checkedMs = server.clock.monotonicMs();
      connection.user = { name: username, database, credential: conversation.found, checkedMs, sessionOwner };
      connection.failedLogins = 0;
      connection.conversation = conversation.skipEmptyExchange ? undefined : { ...conversation, proven: true };
      return [
        ["conversationId", int32Value(1)],
        ["done", boolValue(conversation.skipEmptyExchange)],
        ["payload", binary(signature)],
      ];
    } catch (error) {
      connection.conversation = undefined;
      connection.failedLogins += 1;
      if (connection.failedLogins >= failuresMax) connection.hangUp = true;
      await server.clock.sleep(server.logins.failed(connection.remoteHost), context.signal);
      throw error;
    }
  },
});
