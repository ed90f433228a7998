import type { CliCommand } from "./cli/command.ts";
import { ConfigurationError, readConfiguration, settings } from "./configuration.ts";
import { exitCodes, InUse } from "./exit-codes.ts";
import { version } from "./version.ts";

const usage = (
  cliCommands: readonly CliCommand[],
): string => `telamon ${version}: self-hosted backup for MongoDB with the Atlas Administration API on the front

Usage: telamon serve [flags]      start the server
       telamon COMMAND [flags]    work on the store; each takes --data-dir, --blobs, --s3-..., --unlock, and --json for scripts
       telamon --help             this text
       telamon --version          the version

Commands:
${cliCommands.map(({ name, parameters, description }) => `  ${`${name} ${parameters}`.trimEnd()}\n      ${description}`).join("\n")}

Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong, 3 damage was found, 4 another process has the data folder.

Flags of serve (each has an environment twin):
${settings
  .map((setting) => {
    const fallback = setting.defaultValue === undefined ? "" : ` Default: ${setting.defaultValue}.`;
    return `  --${setting.flag} ${setting.placeholder}\n      ${setting.description}${fallback} (${setting.environmentVariable})`;
  })
  .join("\n")}
  --demo
      Add an instance named Instance0 with sample data, a database user and a completed snapshot.
`;

/** Runs one command line (without the program's name) and sets the exit code. Never throws. */
export async function runCommandLine(commandLine: readonly string[]): Promise<void> {
  const [command, ...flags] = commandLine;
  if (command === "--version") {
    process.stdout.write(`${version}\n`);
    return;
  }
  if (command === "--help" || command === undefined || flags.includes("--help")) {
    process.stdout.write(usage((await import("./cli/index.ts")).cliCommands));
    if (command === undefined) process.exitCode = exitCodes.usage;
    return;
  }
  if (command !== "serve") {
    await runGuarded(() => runOther(command, flags));
    return;
  }
  await runGuarded(async () => {
    const configuration = readConfiguration(flags, process.env);
    const { serve } = await import("./serve.ts");
    await serve(configuration);
  });
}

/** What the server does not need is loaded here, and not before. */
async function runOther(command: string, flags: readonly string[]): Promise<void> {
  const { cliCommands } = await import("./cli/index.ts");
  const found = cliCommands.find(({ name }) => name === command);
  if (found === undefined) throw new ConfigurationError([`unknown command ${command} (see telamon --help)`]);
  const { runCliCommand } = await import("./cli/command.ts");
  process.exitCode = await runCliCommand(found, flags);
}

async function runGuarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InUse) fail(`${error.message} (stop the server first)`, exitCodes.inUse);
    else if (error instanceof ConfigurationError) fail(error.message, exitCodes.usage);
    else fail(error instanceof Error ? error.message : String(error), exitCodes.failed);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`telamon: ${message.replaceAll("\n", "\ntelamon: ")}\n`);
  process.exitCode = exitCode;
}
