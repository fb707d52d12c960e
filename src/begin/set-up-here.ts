/** The set-up pull request as this Baton proposes it: for the App its configuration, in a job of Actions its workflow. */
import { sha256 } from "../adapters/system/sha256.ts";
import type { Settings } from "../config/schema.ts";
import type { Repository } from "../core/vocabulary.ts";
import { type Proposed, propose } from "../onboarding/propose.ts";
import { appManifest, workflowAlone, workflowForApp } from "../onboarding/template.ts";
import type { Github } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";

export async function proposeHere(
  { harnesses, github: app }: Pick<Dependencies, "harnesses" | "github">,
  given: { github: Github; repository: Repository; settings: Settings; byItself?: boolean },
): Promise<Proposed> {
  const { github, repository, settings, byItself = false } = given;
  // Without an App, this is a job of the workflow that a person wants to set up.
  const { appId } = await app.identity();
  const isApp = appId !== 0 && repository.installationId !== 0;
  const workflow = isApp ? workflowForApp() : workflowAlone();
  return propose({
    github,
    repository,
    workflow,
    permissionsText: isApp ? appManifest() : workflow.text,
    digest: sha256,
    // A harness that works here already stays. A harness that this Baton does not have would only fail.
    harness: harnesses.has(settings.harness.default) ? settings.harness.default : ([...harnesses.keys()][0] ?? null),
    modelOf: (name) => settings.harness.model ?? harnesses.get(name)?.defaultModel ?? null,
    byItself,
  });
}
