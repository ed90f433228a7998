import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ConfigurationError } from "../../configuration.ts";

/**
 * A connection string from a file, a variable or standard input. Never from the command line, which everybody on the machine can see and shells keep. On a terminal it is
 * asked for and not shown.
 */
export async function readConnectionString(
  flags: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [path, variable] = [flags.get("connection-string-file"), flags.get("connection-string-env")];
  if (path !== undefined && variable !== undefined)
    throw new ConfigurationError(["give --connection-string-file or --connection-string-env, not both"]);
  if (path !== undefined) return required((await readFile(path, "utf8")).trim(), "the file is empty");
  if (variable !== undefined) return required(environment[variable], `the variable ${variable} is not set`);
  return required((await firstLine()).trim(), "no connection string came on standard input");
}

function required(text: string | undefined, problem: string): string {
  if (text === undefined || text === "") throw new ConfigurationError([problem]);
  return text;
}

async function firstLine(): Promise<string> {
  const { isTTY } = process.stdin;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (isTTY) process.stderr.write("Connection string: ");
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: isTTY });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
    if (isTTY) process.stderr.write("\n");
  }
}
