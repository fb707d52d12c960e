/**
 * Whether Codex can sandbox commands on this machine, by landlock and namespaces. Containers often forbid both.
 *
 * Without them Codex continues: every command of the model fails, the turn ends well, and nothing is done. Baton checks
 * first.
 */
import type { ErrorData } from "../../../core/errors.ts";
import { children } from "../../child/children.ts";

const checkTimeoutMs = 20_000;
const checkOutputBytesMax = 1024 * 1024;

export type SandboxCheck = (binary: string, env: Record<string, string>) => Promise<ErrorData | null>;

/**
 * Runs nothing in its sandbox. A missing program is not a problem of the sandbox. The attempt itself reports it better.
 */
export const checkSandbox: SandboxCheck = async (binary, env) => {
  const check = await children.call({
    command: [binary, "sandbox", "--", "true"],
    env,
    timeoutMs: checkTimeoutMs,
    outputBytesMax: checkOutputBytesMax,
  });
  if (check.exitCode === 0 || check.missing) return null;
  const said = check.stderr.toString("utf8").trim().split("\n").at(-1) ?? "";
  const why = check.timedOut ? `no answer within ${checkTimeoutMs / 1_000} s` : said;
  return {
    code: "BATON_HARNESS_SANDBOX",
    message: `The sandbox of Codex does not work on this machine: ${why.slice(0, 300)}`,
  };
};
