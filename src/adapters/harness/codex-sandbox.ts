/**
 * Whether Codex can sandbox commands on this machine: by landlock and namespaces, which containers often forbid.
 *
 * Without, it goes on: every command of the model fails, the turn ends well, and nothing is done. So it is asked first.
 */
import { execa } from "execa";
import type { ErrorData } from "../../core/errors.ts";

const checkTimeoutMs = 20_000;

export type SandboxCheck = (binary: string, env: Record<string, string>) => Promise<ErrorData | null>;

/** Runs nothing in its sandbox. A missing program is no problem of the sandbox: the attempt itself says that better. */
export const checkSandbox: SandboxCheck = async (binary, env) => {
  const check = await execa(binary, ["sandbox", "--", "true"], {
    env,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: checkTimeoutMs,
  });
  if (check.exitCode === 0 || check.code === "ENOENT") return null;
  const why = check.stderr.trim().split("\n").at(-1) ?? "";
  return {
    code: "BATON_HARNESS_SANDBOX",
    message: `The sandbox of Codex does not work on this machine: ${why.slice(0, 300)}`,
  };
};
