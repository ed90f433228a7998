import { boolValue, EngineError, int32Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { binary, payloadOf } from "./saslStart.ts";
import { authenticationFailed, checkClientFinal } from "./scram.ts";

/** Wrong proofs after which a connection must log in anew from the beginning, each a little later. */
const failureDelayMs = 100;

/** `saslContinue`: the proof, and for some clients one empty exchange after it. */
export const saslContinue = defineCommand({
  name: "saslContinue",
  action: "open",
  run: async (parameters, context) => {
    const { connection, server } = context;
    const payload = payloadOf(parameters.get("payload"));
    parameters.whole("conversationId", 0);
    parameters.rejectUnknown();
    const { conversation } = connection;
    if (conversation === undefined) throw new EngineError(17, "ProtocolError", "No SASL session state found");
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
      connection.user = { name: conversation.username, credential: conversation.found };
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
      // Guessing gets slower with each guess on a connection.
      await server.clock.sleep(Math.min(failureDelayMs * connection.failedLogins, 5000));
      throw error;
    }
  },
});
