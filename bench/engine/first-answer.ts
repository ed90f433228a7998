import { connect } from "node:net";
import { serialize } from "bson";

/** From connecting to the reply of a `hello`. */
export function firstAnswerMs(port: number): Promise<number> {
  const body = serialize({ hello: 1, $db: "admin" });
  const message = Buffer.alloc(21 + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(1, 4);
  message.writeInt32LE(2013, 12);
  message.set(body, 21);
  return new Promise((fulfil, reject) => {
    const startedMs = performance.now();
    const socket = connect(port, "127.0.0.1", () => socket.write(message));
    socket.once("error", reject);
    socket.once("data", () => {
      fulfil(performance.now() - startedMs);
      socket.destroy();
    });
  });
}
