import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "src");

/** Who may import whom besides itself; the same table stands in ARCHITECTURE.md. */
const allowed: Record<string, readonly string[]> = {
  shared: [],
  ports: ["shared"],
  domain: ["ports", "shared"],
  engine: ["ports", "shared"],
  "backup-store": ["ports", "shared"],
  operations: ["domain", "ports", "shared"],
  commands: ["engine", "domain", "ports", "shared"],
  jobs: ["domain", "ports", "shared"],
  http: ["operations", "domain", "ports", "shared"],
  wire: ["commands", "engine", "ports", "shared"],
  adapters: ["ports", "shared", "engine", "backup-store"],
};

/** Libraries are entered through their facade alone. */
const facades: Record<string, string> = { engine: "engine/index.ts", "backup-store": "backup-store/index.ts" };

/** Each of these belongs to one place (a folder or a file below `src`). */
const onlyIn: readonly { readonly what: RegExp; readonly name: string; readonly places: readonly string[] }[] = [
  { what: /\bprocess\.env\b/, name: "process.env", places: ["app/"] },
  { what: /from "node:sqlite"/, name: "node:sqlite", places: ["adapters/metadata-sql/", "engine/storage/"] },
  { what: /from "(fastify|@fastify\/[^"]+)"/, name: "fastify", places: ["http/"] },
  { what: /from "kysely"/, name: "kysely", places: ["adapters/metadata-sql/"] },
  { what: /from "mongodb"/, name: "the MongoDB driver", places: ["adapters/source-mongodb/", "app/demo"] },
  { what: /from "@aws-sdk\//, name: "the AWS SDK", places: ["adapters/blob-s3/"] },
  { what: /from "pino"/, name: "pino", places: ["app/"] },
  {
    what: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    name: "the system clock",
    // How long work on one document has gone on is no time that anybody sets.
    places: ["adapters/clock-system.ts", "engine/steps.ts"],
  },
  {
    what: /\bMath\.random\(|import \{[^}]*\b(randomUUID|randomBytes|randomInt)\b[^}]*\} from "node:crypto"/,
    name: "the system's random source",
    places: ["adapters/ids-random.ts"],
  },
];

function typeScriptFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes("node_modules"));
}

const sourceFiles = typeScriptFiles(source).map((path) => ({
  path,
  place: relative(source, path),
  text: readFileSync(path, "utf8"),
}));
const productFiles = sourceFiles.filter((file) => !file.place.endsWith(".test.ts"));

/** Code without comments, so that a sentence about `Date.now()` is not a use of it. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

describe("architecture", () => {
  test("every import between folders stands in the table", () => {
    let checked = 0;
    const violations: string[] = [];
    for (const file of productFiles) {
      const folder = file.place.split("/")[0] ?? "";
      if (folder === "app" || folder === "main.js") continue;
      for (const match of file.text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
        const target = relative(source, resolve(dirname(file.path), match[1] ?? ""));
        const targetFolder = target.split("/")[0] ?? "";
        checked += 1;
        if (targetFolder === folder) continue;
        if (!(allowed[folder] ?? []).includes(targetFolder)) violations.push(`${file.place} imports ${target}`);
        const facade = facades[targetFolder];
        if (facade !== undefined && target !== facade)
          violations.push(`${file.place} imports ${target}, past the facade ${facade}`);
      }
    }
    assert.ok(checked > 100, `only ${checked} imports were checked: the test looks at nothing`);
    assert.deepEqual(violations, []);
  });

  test("what belongs to one place is used nowhere else", () => {
    const found = new Set<string>();
    const violations: string[] = [];
    for (const file of productFiles) {
      const code = withoutComments(file.text);
      for (const rule of onlyIn) {
        if (!rule.what.test(code)) continue;
        if (rule.places.some((place) => file.place.startsWith(place))) found.add(rule.name);
        else violations.push(`${file.place} uses ${rule.name}`);
      }
    }
    assert.ok(found.size >= 5, `only ${[...found].join(", ")} were found anywhere: the patterns match nothing`);
    assert.deepEqual(violations, []);
  });

  test("the AWS SDK costs a server with a local store nothing: whoever opens a store in S3 loads it then", () => {
    const importing = productFiles.filter(
      ({ place, text }) => !place.startsWith("adapters/blob-s3/") && text.includes("adapters/blob-s3/"),
    );
    assert.deepEqual(
      importing.map(({ place }) => place),
      ["app/blobs.ts"],
    );
    assert.doesNotMatch(importing[0]?.text ?? "", /from "[^"]*adapters\/blob-s3/);
  });

  test("no file is longer than 400 lines", () => {
    const long = ["src", "test", "tools", "bench"]
      .flatMap((folder) => typeScriptFiles(join(root, folder)))
      .map((path) => ({ path: relative(root, path), lines: readFileSync(path, "utf8").split("\n").length - 1 }))
      .filter((file) => file.lines > 400);
    assert.deepEqual(long, []);
  });

  test("no file or folder has a name that says nothing", () => {
    const empty = sourceFiles.filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)(\.|\/|-)/.test(file.place));
    assert.deepEqual(
      empty.map((file) => file.place),
      [],
    );
  });
});
