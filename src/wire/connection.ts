import type { Socket } from "node:net";
import type { CommandConnection } from "../commands/command-server.ts";
import { EngineError } from "../engine/index.ts";
import type { Log } from "../ports/log.ts";
import { ProtocolError, readMessage, type WireRequest, writeReply } from "./frame.ts";
import { MessageReader } from "./message-reader.ts";

/** Time a client has to log in. */
const loginTimeoutMs = 30_000;
/** Time a started message has to arrive in full. */
const messageTimeoutMs = 60_000;
/** Requests that may wait behind the one being answered; past it the socket is not read. */
const waitingMax = 16;

export interface Connection {
  close(reason: string): void;
}

/** Serves one client: its requests one after the other, in the order they came. */
export function serveConnection(socket: Socket, commands: CommandConnection, log: Log): Connection {
  const reader = new MessageReader();
  const ended = new AbortController();
  const waiting: WireRequest[] = [];
  let working = false;
  let replyId = 0;
  const loginTimer = setTimeout(() => {
    if (!commands.authenticated()) socket.destroy();
  }, loginTimeoutMs).unref();

  const close = (reason: string): void => {
    if (!ended.signal.aborted) ended.abort(new EngineError(11_600, "InterruptedAtShutdown", reason));
    socket.destroy();
  };
  socket.on("data", (piece: Buffer) => {
    try {
      for (const message of reader.push(piece)) waiting.push(readMessage(message));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log.warn({ reason: error.message }, "a client sent bytes that are no MongoDB message");
      close(error.message);
      return;
    }
    socket.setTimeout(reader.pending ? messageTimeoutMs : 0);
    if (waiting.length > waitingMax) socket.pause();
    void work();
  });
  socket.on("timeout", () => socket.destroy());
  // A broken connection is the client's business; "close" follows.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearTimeout(loginTimer);
    if (!ended.signal.aborted) ended.abort(new EngineError(279, "ClientDisconnect", "the client has gone"));
    commands.close();
  });
  return { close };

  async function work(): Promise<void> {
    if (working) return;
    working = true;
    for (let request = waiting.shift(); request !== undefined && !ended.signal.aborted; request = waiting.shift()) {
      const reply = await commands.run(request, ended.signal);
      if (waiting.length < waitingMax && socket.isPaused()) socket.resume();
      if (request.moreToCome || ended.signal.aborted) continue;
      replyId += 1;
      // A client that does not read stops being answered until it does: nothing piles up here.
      if (!socket.write(writeReply(request, replyId, reply))) await drained();
    }
    working = false;
  }

  function drained(): Promise<void> {
    return new Promise((fulfil) => {
      const done = (): void => {
        socket.off("drain", done);
        socket.off("close", done);
        fulfil();
      };
      socket.on("drain", done);
      socket.on("close", done);
    });
  }
}
