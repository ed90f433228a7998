import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BSON } from "mongodb";

/** The parts of a file in the unified test format (github.com/mongodb/specifications, "unified-test-format") that this runner acts on. */
export interface TestFile {
  /** Below the folder of all, without `.json`. */
  readonly name: string;
  readonly schemaVersion: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly createEntities?: readonly EntityDescription[];
  readonly initialData?: readonly CollectionData[];
  readonly tests: readonly Test[];
}

export interface Test {
  readonly description: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly skipReason?: string;
  readonly operations: readonly Operation[];
  readonly expectEvents?: readonly ExpectedEvents[];
  readonly outcome?: readonly CollectionData[];
}

export interface Requirement {
  readonly minServerVersion?: string;
  readonly maxServerVersion?: string;
  readonly topologies?: readonly string[];
  readonly serverParameters?: Arguments;
  readonly serverless?: string;
  readonly auth?: boolean;
  readonly csfle?: unknown;
}

export interface CollectionData {
  readonly collectionName: string;
  readonly databaseName: string;
  readonly documents: readonly Arguments[];
  readonly createOptions?: Arguments;
}

/** One field: the kind of the entity. */
export type EntityDescription = Readonly<Record<string, EntityFields>>;
export type EntityFields = Arguments & { readonly id: string };

export type Arguments = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly name: string;
  readonly object: string;
  readonly arguments?: Arguments;
  readonly ignoreResultAndError?: boolean;
  readonly expectError?: ExpectedError;
  readonly expectResult?: unknown;
  readonly saveResultAsEntity?: string;
}

export interface ExpectedError {
  readonly isError?: boolean;
  readonly isClientError?: boolean;
  readonly errorContains?: string;
  readonly errorCode?: number;
  readonly errorCodeName?: string;
  readonly errorLabelsContain?: readonly string[];
  readonly errorLabelsOmit?: readonly string[];
  readonly errorResponse?: Arguments;
  readonly writeErrors?: Arguments;
  readonly writeConcernErrors?: readonly unknown[];
  readonly expectResult?: unknown;
}

export interface ExpectedEvents {
  readonly client: string;
  readonly eventType?: "command" | "cmap" | "sdam";
  readonly events: readonly Arguments[];
  readonly ignoreExtraEvents?: boolean;
}

/** Where the test files lie: the folder `source` of github.com/mongodb/specifications. */
export const specificationsFolder: string =
  process.env["TELAMON_SPECIFICATIONS"] ??
  resolve(import.meta.dirname, "../../../shared/data/mongodb-specifications/source");

/** Every file of an area that is in the unified format; `undefined` when the area is not there. */
export function readArea(area: string): readonly TestFile[] | undefined {
  const folder = join(specificationsFolder, area);
  if (!existsSync(folder)) return undefined;
  return globSync("**/*.json", { cwd: folder })
    .toSorted()
    .map((path) => ({
      ...(BSON.EJSON.parse(readFileSync(join(folder, path), "utf8"), { relaxed: true }) as Omit<TestFile, "name">),
      name: `${area}/${path.replace(/\.json$/, "").replace(/^tests\/(unified\/)?/, "")}`,
    }))
    .filter(({ schemaVersion, tests }) => schemaVersion !== undefined && tests !== undefined);
}
