import { repositoryIdLength } from "./keys.ts";

export const formatKey = "format";
export const formatVersion = 1;

/** The object that says what stands here, the same for everybody who knows the repository's id. What must be trusted stands sealed in the key slots. */
export function formatText(repositoryId: Uint8Array): string {
  return `${JSON.stringify({
    format: "telamon backup store",
    version: formatVersion,
    repositoryId: Buffer.from(repositoryId).toString("hex"),
    algorithms: {
      keys: "hkdf-sha-256",
      chunkId: "hmac-sha-256",
      cut: "telamon-1",
      seal: "aes-256-gcm",
      compression: ["none", "zstd"],
    },
    documentation: "docs/formats/backup-store.md",
  })}\n`;
}

/** The repository's id that a format object names. Throws when it is none, or one of a newer version. */
export function repositoryIdOf(bytes: Uint8Array): Uint8Array {
  const found = parse(bytes);
  if (found.version !== formatVersion)
    throw new Error(`the backup store has format version ${String(found.version)}, which this version does not read`);
  const id = Buffer.from(String(found.repositoryId), "hex");
  if (id.length !== repositoryIdLength) throw notOne();
  return id;
}

function parse(bytes: Uint8Array): { readonly version?: unknown; readonly repositoryId?: unknown } {
  try {
    const found = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown> | null;
    if (found !== null && typeof found === "object" && found.format === "telamon backup store") return found;
  } catch {
    // Falls through to the same answer: it is not what is written there.
  }
  throw notOne();
}

function notOne(): Error {
  return new Error("the backup store's format object is damaged, or the place holds something else");
}
