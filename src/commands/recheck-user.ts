import type { ConnectionState, ServerFacts } from "./define-command.ts";

/** How long a connected user counts as it was when it was last looked up. */
const checkedForMs = 30_000;

/**
 * Looks a connected user up again from time to time, so that changed roles hold for connections that stay open. Who is gone, expired, or has another
 * password is logged out, and the connection is ended after the answer, for a pool not to keep it.
 */
export async function recheckUser(server: ServerFacts, connection: ConnectionState): Promise<void> {
  const { user } = connection;
  if (user === undefined || user.credential === server.systemUser) return;
  const checkedMs = server.clock.monotonicMs();
  if (checkedMs - user.checkedMs <= checkedForMs) return;
  const found = await server.directory.findCredential(server.deploymentId, user.database, user.name);
  // Both are the server's own, so the comparison tells no client anything.
  if (found !== undefined && Buffer.compare(found.credential.storedKey, user.credential.credential.storedKey) === 0) {
    connection.user = { ...user, credential: found, checkedMs };
    return;
  }
  connection.user = undefined;
  connection.hangUp = true;
}
