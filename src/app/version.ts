import { readFileSync } from "node:fs";

const packageFile = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** The version of this checkout, `x.y.z`. */
export const version = packageFile.version;
