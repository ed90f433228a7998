import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { loadMasterKey, loadOrCreateMasterKey } from "../adapters/master-key-file/master-key-file.ts";
import type { StoreSecret } from "../backup-store/index.ts";
import type { UnlockLocation } from "./configuration.ts";

export interface LocatedSecret {
  readonly secret: StoreSecret;
  /** For people; never anything of the secret. */
  readonly label: string;
}

const passphraseLeast = 12;

/** Reads what opens the store. With `randomBytes` a key file that is missing is made. Throws with a message that never shows the secret. */
export async function readSecret(
  location: UnlockLocation,
  randomBytes?: (length: number) => Uint8Array,
): Promise<LocatedSecret> {
  switch (location.kind) {
    case "key file": {
      const { path } = location;
      const secret =
        randomBytes === undefined ? await loadMasterKey(path) : await loadOrCreateMasterKey(path, randomBytes);
      return { secret, label: labelOf("file", basename(path)) };
    }
    case "passphrase file": {
      const text = (await readFile(location.path, "utf8")).replace(/\r?\n$/, "");
      return { secret: checkedPassphrase(text), label: labelOf("passphrase file", basename(location.path)) };
    }
    case "passphrase variable":
      return {
        secret: checkedPassphrase(variableOf(location.variable)),
        label: labelOf("passphrase variable", location.variable),
      };
    case "key variable": {
      const text = variableOf(location.variable);
      if (!/^[0-9a-fA-F]{64}$/.test(text))
        throw new Error(`the variable ${location.variable} must have 64 hexadecimal digits`);
      return { secret: Buffer.from(text, "hex"), label: labelOf("variable", location.variable) };
    }
  }
}

function variableOf(name: string): string {
  const text = process.env[name];
  if (text === undefined || text === "") throw new Error(`the variable ${name} is not set`);
  return text;
}

function checkedPassphrase(text: string): string {
  if (text.length < passphraseLeast) throw new Error(`a passphrase must have at least ${passphraseLeast} characters`);
  return text;
}

function labelOf(kind: string, name: string): string {
  return `${kind} ${name.replaceAll(/[^\w.-]/g, "-")}`.slice(0, 100);
}
