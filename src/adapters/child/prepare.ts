/** The command to start: confined by its sandbox, below a supervisor, or unchanged. */
import type { ChildSpec } from "../../ports/child.ts";
import type { ConfinedCommand } from "../../ports/sandbox.ts";
import { isThere, supervise, supervisorWorks } from "./supervisor.ts";

export interface Prepared extends ConfinedCommand {
  kind: "confined" | "supervised" | "plain";
}

/** `parent` is the process that will start the program. Null: the program does not exist or may not be executed. */
export async function prepare(spec: ChildSpec, mayHide: boolean, parent: number): Promise<Prepared | null> {
  const cwd = spec.cwd ?? process.cwd();
  if (spec.confinement !== undefined && spec.confinement !== null) {
    const confined = await spec.confinement.prepare({ command: spec.command, env: spec.env, cwd });
    return {
      kind: "confined",
      command: confined.command,
      env: confined.env,
      cwd: confined.cwd,
      started: (pid, stop) => confined.started(pid, stop),
      release: (failed) => confined.release(failed),
    };
  }
  const plain = {
    command: [...spec.command],
    env: { ...spec.env },
    cwd,
    started: () => {},
    release: async () => null,
  };
  if (!mayHide || !(await supervisorWorks())) return { kind: "plain", ...plain };
  if (!isThere(spec.command[0] ?? "", spec.env, cwd)) return null;
  return { kind: "supervised", ...plain, ...supervise(spec.command, spec.env, parent) };
}
