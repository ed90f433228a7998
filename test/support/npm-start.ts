import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const { scripts } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8")) as {
  readonly scripts: { readonly start: string };
};
const words = scripts.start.split(" ");
const program = words.indexOf("node");

/** What `npm start` gives Node beside the module and its flags. */
export const npmStart = {
  environment: Object.fromEntries(words.slice(0, program).map((word) => word.split("=") as [string, string])),
  nodeFlags: words.slice(program + 1).filter((word) => word.startsWith("--")),
};
