/** The change that a step judges, measured by git: from the first commit that the step reads to its base. */
import type { AgentInput } from "../../core/effect.ts";
import { toBatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { RepositoryAccess } from "../../ports/workspace.ts";
import type { Change } from "../../prompt/section.ts";
import type { Dependencies } from "../dependencies.ts";

/** null: the step judges no change. */
export async function changeToJudge(
  { workspaces, log }: Pick<Dependencies, "workspaces" | "log">,
  { role, reads: [since] = [], baseSha }: AgentInput,
  access: () => Promise<RepositoryAccess>,
): Promise<Change | null> {
  if (since === undefined || (role !== "review" && role !== "verify")) return null;
  const repository = await access();
  const files = await workspaces.changes(repository, since, baseSha);
  const { text, truncated } = await workspaces
    .diff(repository, since, baseSha, limits.promptUntrustedCharactersMax)
    .catch((thrown: unknown) => {
      log.warn("A change is too large to be shown as a diff", { since, baseSha, error: toBatonError(thrown) });
      return { text: "", truncated: true };
    });
  return { files, diff: text, truncated };
}
