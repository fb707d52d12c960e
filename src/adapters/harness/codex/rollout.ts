/**
 * The file in which Codex keeps a session: `CODEX_HOME/sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl`.
 *
 * Its lines are the only count while a turn runs, and all that is left of a killed turn. Codex writes
 * `token_usage_record` for each answer. Once the tools of the answer have run, it writes `token_count` with the total
 * so far.
 */
import { dirname, join } from "node:path";
import { addTokens, noTokens, type Tokens } from "../../../core/vocabulary.ts";
import { count, type Fields, fields } from "../../model-service/fields.ts";
import { findAgentFile, readAgentFileTail } from "../../system/agent-files.ts";
import { jsonLine } from "../run-harness.ts";

/** The last count is near the end, but the output of tools after it may be long. */
const tailBytes = 1024 * 1024;

/** Year, month and day. */
const sessionsDepth = 3;

/** `root`: the agent can write from this folder on. */
export function rolloutPath(codexHome: string, sessionId: string, root = codexHome): string | null {
  return findAgentFile(root, join(codexHome, "sessions"), sessionsDepth, (name) =>
    name.endsWith(`-${sessionId}.jsonl`),
  );
}

/** The place for a session from an earlier attempt. Codex searches for the id, not for the day. */
export function restoredRolloutPath(codexHome: string, sessionId: string): string {
  return join(codexHome, "sessions", "2025", "01", "01", `rollout-2025-01-01T00-00-00-${sessionId}.jsonl`);
}

/** The session's usage since its first turn, including earlier attempts. */
export function sessionTokens(path: string, root = dirname(path)): Tokens {
  const tail = readAgentFileTail(root, path, tailBytes)?.toString("utf8") ?? "";
  let since = noTokens;
  for (const line of tail.split("\n").reverse()) {
    const isRecord = line.includes('"token_usage_record"');
    if (!isRecord && !line.includes('"token_count"')) continue;
    const payload = fields(jsonLine(line)?.["payload"]);
    const total = fields(payload["info"])["total_token_usage"];
    if (total !== undefined) return addTokens(codexTokens(fields(total)), since);
    if (isRecord) since = addTokens(since, codexTokens(fields(payload["usage"])));
  }
  return since;
}

/** `input_tokens` includes cache reads and cache writes. */
export function codexTokens(usage: Fields): Tokens {
  const cacheRead = count(usage["cached_input_tokens"]);
  const cacheWrite = count(usage["cache_write_input_tokens"]);
  return {
    input: Math.max(0, count(usage["input_tokens"]) - cacheRead - cacheWrite),
    output: count(usage["output_tokens"]),
    cacheRead,
    cacheWrite,
  };
}

export function subtractTokens(all: Tokens, before: Tokens): Tokens {
  return {
    input: Math.max(0, all.input - before.input),
    output: Math.max(0, all.output - before.output),
    cacheRead: Math.max(0, all.cacheRead - before.cacheRead),
    cacheWrite: Math.max(0, all.cacheWrite - before.cacheWrite),
  };
}
