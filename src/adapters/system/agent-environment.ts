/**
 * The environment of an agent: an allow-list (harness.H2). It never contains Baton's own values, a GitHub token or a
 * database address.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { HarnessRequest } from "../../ports/harness.ts";

const passed = [
  "PATH",
  "LANG",
  "LC_ALL",
  "TZ",
  "TERM",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
] as const;

export function agentEnvironment(
  request: Pick<HarnessRequest, "homePath" | "attemptMarker" | "variables">,
  keys: Record<string, string | undefined>,
  host: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const temporary = join(request.homePath, "tmp");
  mkdirSync(temporary, { recursive: true });
  const env: Record<string, string> = {};
  for (const name of passed) if (host[name] !== undefined) env[name] = host[name];
  for (const [name, value] of Object.entries(keys)) if (value !== undefined) env[name] = value;
  return {
    ...env,
    ...request.variables,
    HOME: request.homePath,
    TMPDIR: temporary,
    CI: "true",
    BATON_ATTEMPT: request.attemptMarker,
    GIT_AUTHOR_NAME: "agent",
    GIT_AUTHOR_EMAIL: "agent@localhost",
    GIT_COMMITTER_NAME: "agent",
    GIT_COMMITTER_EMAIL: "agent@localhost",
    GIT_TERMINAL_PROMPT: "0",
    // Disables the machine's credential helpers from every configuration. An empty helper ends their list.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "credential.helper",
    GIT_CONFIG_VALUE_0: "",
  };
}
