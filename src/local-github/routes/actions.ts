/** Workflows that are started by hand or by an App: told to whoever plays the runners. */
import { z } from "zod";
import { noContent, Refusal } from "../answer.ts";
import { dispatchCi } from "../deeds/ci.ts";
import { commitSha, git } from "../git.ts";
import { bodyOf, repositoryRoute } from "../route.ts";
import { gitDirectory } from "../site.ts";
import { accountOf, branchRef, fullName } from "../state.ts";

/** GitHub takes at most 25 inputs. */
const inputsMax = 25;

const dispatch = z.object({ ref: z.string(), inputs: z.record(z.string(), z.string()).optional() });

export const actionRoutes = [
  // Who plays the runners keeps no history here: a run is unknown, as one that was deleted.
  repositoryRoute("GET /actions/runs/:id", "actions:read", () => {
    throw new Refusal(404, "Not Found");
  }),
  repositoryRoute("POST /actions/workflows/:workflow/dispatches", "actions:write", async (context) => {
    const { ref, inputs = {} } = bodyOf(context, dispatch);
    if (Object.keys(inputs).length > inputsMax) throw new Refusal(422, `There are more than ${inputsMax} inputs`);
    const { site, repository, doer } = context;
    const directory = gitDirectory(site, repository.id);
    const head = repository.refs.get(branchRef(ref));
    const sha = head === undefined ? null : await commitSha(directory, head);
    if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`);
    const workflow = context.params["workflow"] ?? "";
    const text = await git(directory, ["show", `${sha}:.github/workflows/${workflow}`]).catch(() => null);
    if (text === null) throw new Refusal(404, "Not Found");
    if (!text.includes("workflow_dispatch"))
      throw new Refusal(422, "Workflow does not have 'workflow_dispatch' trigger");
    dispatchCi(site, repository, { workflow, branch: branchRef(ref).slice("refs/heads/".length), sha, doer });
    site.onDispatch({
      repository: fullName(site.state, repository),
      workflow,
      ref: branchRef(ref),
      inputs,
      login: accountOf(site.state, doer.accountId).login,
    });
    return noContent;
  }),
];
