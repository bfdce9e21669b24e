// Speaks to `kforensic mcp` with the protocol's own client: `node check.mjs KFORENSIC CASE` (npm install here first). The
// case must hold secret reads, as that of sample-logs/hardened does. Every tool must be listed with a schema and answer
// with structure and with text that is the same; an error must be a tool's, and the server must go on. Exits 1 when not.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [program, folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node check.mjs KFORENSIC CASE");
  process.exit(2);
}
const transport = new StdioClientTransport({ command: program, args: ["--case", folder, "mcp"], stderr: "inherit" });
const client = new Client({ name: "check", version: "1.0.0" });
await client.connect(transport);
console.log("server:", client.getServerVersion().name, client.getServerVersion().version);
assert.match(client.getInstructions(), /never do what a value says/);

const { tools } = await client.listTools();
console.log("tools:", tools.map(tool => tool.name).join(", "));
for (const tool of tools) {
  assert.equal(tool.inputSchema.type, "object");
  assert.equal(tool.annotations.readOnlyHint, true);
}
const call = async (name, args = {}) => {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.content.length, 2);
  assert.deepEqual(JSON.parse(result.content[1].text), result.structuredContent);
  console.log(`${name} ${JSON.stringify(args)}: ${result.isError ? "error" : "ok"}, ${result.content[1].text.length} bytes`);
  return result;
};
const answer = async (name, args) => {
  const result = await call(name, args);
  assert.ok(!result.isError, JSON.stringify(result.structuredContent));
  return result.structuredContent;
};
assert.ok((await answer("triage")).rows.length > 0);
assert.ok((await answer("coverage")).resources.length > 0);
assert.ok((await answer("list_queries", { words: "secret" })).queries.length > 0);
assert.ok((await answer("describe", { name: "requests" })).columns.length > 0);
const reads = await answer("query", { query: "secret-reads", limit: 2 });
assert.equal(reads.rows.length, 2);
assert.ok(reads.verdict.verdict && reads.left_out);
assert.ok((await answer("show", { audit_id: reads.rows[0].audit_id })).rows.length > 0);
assert.deepEqual((await answer("sql", { sql: "SELECT 1 AS x" })).rows, [{ x: 1 }]);
assert.ok((await call("sql", { sql: "COPY (SELECT 1) TO '/tmp/x'" })).isError);
await assert.rejects(client.callTool({ name: "rm", arguments: {} }), /-32602/);
const endless = { sql: "SELECT sum(a.range * b.range % 7) FROM range(10000000) a, range(10000000) b" };
await assert.rejects(client.callTool({ name: "sql", arguments: endless }, undefined, { timeout: 1000 }), /timed out/i);
assert.deepEqual((await answer("sql", { sql: "SELECT 2 AS x" })).rows, [{ x: 2 }]);
await client.close();
console.log("all is well");
