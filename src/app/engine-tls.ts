import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Configuration, ConfigurationError } from "./configuration.ts";

/** Certificate chain and private key that the databases speak TLS with, both PEM. */
export interface EngineTls {
  readonly certificate: string;
  readonly key: string;
}

/** Reads the files of `--engine-tls-certificate` and `--engine-tls-key`. Throws `ConfigurationError` when they cannot be read or do not belong together. */
export function readEngineTls(paths: Configuration["engineTls"]): EngineTls | undefined {
  if (paths === undefined) return undefined;
  const certificate = read("--engine-tls-certificate", paths.certificatePath);
  const key = read("--engine-tls-key", paths.keyPath);
  let fits: boolean;
  try {
    fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    // Not the error's own words: they may quote the key.
    throw new ConfigurationError([
      "--engine-tls-certificate and --engine-tls-key must be PEM files, the key without a passphrase",
    ]);
  }
  if (!fits) throw new ConfigurationError(["--engine-tls-key is not the key of --engine-tls-certificate"]);
  return { certificate, key };
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError([
      `${flag}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    ]);
  }
}
