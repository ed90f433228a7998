import { ConfigurationError, readConfiguration, settings } from "./configuration.ts";
import { version } from "./version.ts";

/** Exit codes that scripts can rely on. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

const usage = `telamon ${version}: self-hosted backup for MongoDB with the Atlas Administration API on the front

Usage: telamon serve [flags]      start the server
       telamon --help             this text
       telamon --version          the version

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
    process.stdout.write(usage);
    if (command === undefined) process.exitCode = exitCodes.usage;
    return;
  }
  if (command !== "serve") {
    fail(`unknown command ${command} (see telamon --help)`, exitCodes.usage);
    return;
  }
  try {
    const configuration = readConfiguration(flags, process.env);
    const { serve } = await import("./serve.ts");
    await serve(configuration);
  } catch (error) {
    if (error instanceof ConfigurationError) fail(error.message, exitCodes.usage);
    else fail(error instanceof Error ? error.message : String(error), exitCodes.failed);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`telamon: ${message.replaceAll("\n", "\ntelamon: ")}\n`);
  process.exitCode = exitCode;
}
