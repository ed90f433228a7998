// MongoDB's MCP server against the demo's database (its first argument), spoken to as its clients do: JSON-RPC over standard input and output (Model Context Protocol).
// Prints `ok <name>` or `FAIL <name>: why`, and exits with 1 when one failed.
const { spawn } = require("node:child_process");
const { join } = require("node:path");
const { createInterface } = require("node:readline");

const server = spawn(process.execPath, [join(__dirname, "node_modules/.bin/mongodb-mcp-server")], {
  env: {
    ...process.env,
    MDB_MCP_CONNECTION_STRING: process.argv[2],
    MDB_MCP_TELEMETRY: "disabled",
    MDB_MCP_LOGGERS: "stderr",
    MDB_MCP_CONFIRMATION_REQUIRED_TOOLS: "",
  },
  stdio: ["pipe", "pipe", "ignore"],
});
const waiting = new Map();
let lastId = 0;
let failed = false;

createInterface({ input: server.stdout }).on("line", (line) => {
  const message = JSON.parse(line);
  waiting.get(message.id)?.(message);
});

function request(method, params) {
  lastId += 1;
  const id = lastId;
  server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
  return new Promise((fulfil) => waiting.set(id, fulfil));
}

async function call(name, given, pattern) {
  const { result, error } = await request("tools/call", {
    name,
    arguments: { connectionId: "preconfigured", ...given },
  });
  const text = JSON.stringify(result?.content ?? error ?? "");
  const good = error === undefined && result.isError !== true && pattern.test(text);
  failed ||= !good;
  console.log(good ? `ok ${name}` : `FAIL ${name}: ${text.slice(0, 400)}`);
}

async function main() {
  await request("initialize", {
    protocolVersion: "2025-03-26",
    capabilities: {},
    clientInfo: { name: "telamon-test", version: "1.0.0" },
  });
  server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
  const [database, collection] = ["mcp", "things"];
  const place = { database, collection };
  await call("list-databases", {}, /sample_shop/);
  await call(
    "insert-many",
    {
      ...place,
      documents: [
        { _id: 1, n: 1 },
        { _id: 2, n: 2 },
        { _id: 3, n: 3 },
      ],
    },
    /3/,
  );
  await call("list-collections", { database }, /things/);
  await call("find", { ...place, filter: { n: { $gt: 1 } }, sort: { n: -1 } }, /"?n\\*"?: ?3/);
  await call("count", { ...place, query: {} }, /3/);
  await call("aggregate", { ...place, pipeline: [{ $group: { _id: null, total: { $sum: "$n" } } }] }, /6/);
  await call("update-many", { ...place, filter: { n: 1 }, update: { $set: { n: 10 } } }, /1/);
  await call("create-index", { ...place, name: "by_n", definition: [{ type: "classic", keys: { n: 1 } }] }, /by_n/);
  await call("collection-indexes", place, /by_n/);
  await call("collection-schema", place, /n/);
  await call("collection-storage-size", place, /size/i);
  await call("db-stats", { database }, /objects|collections/);
  await call(
    "explain",
    { ...place, method: [{ name: "find", arguments: { filter: { n: 2 } } }], verbosity: "queryPlanner" },
    /IXSCAN/,
  );
  await call("rename-collection", { ...place, newName: "renamed" }, /renamed/);
  await call("delete-many", { database, collection: "renamed", filter: { n: 2 } }, /1/);
  await call("drop-index", { database, collection: "renamed", indexName: "by_n", type: "classic" }, /by_n|drop/);
  await call("drop-collection", { database, collection: "renamed" }, /dropped/);
  await call("drop-database", { database }, /dropped/);
  server.kill();
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.log(`FAIL ${error.message}`);
  server.kill();
  process.exit(1);
});
