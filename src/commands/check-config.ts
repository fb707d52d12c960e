/**
 * A pull request that changes `baton.yaml` gets a check run: problems at their lines, or what would really change.
 *
 * CC1 It only shows: what judges runs stays the base branch's configuration (Y1).
 * CC2 One check run a head commit, however often it is told of it.
 */
import { configCheck } from "../config/check.ts";
import { configPaths } from "../config/parse.ts";
import { defaultSettings } from "../config/schema.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { CheckRunContent, Github } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import { loadSettings, readConfig } from "./load-settings.ts";

const configCheckName = "Baton configuration";

/** The configuration's path, when the pull request changes it. */
export async function changedConfig(
  github: Pick<Github, "pullRequestFiles">,
  repository: Repository,
  number: number,
): Promise<string | null> {
  const files = await github.pullRequestFiles(repository, number);
  return configPaths.find((path) => files.includes(path)) ?? null;
}

/** Returns what it did, in words. */
export async function checkConfig(dependencies: Dependencies, repository: Repository, number: number): Promise<string> {
  const github = await dependencies.github.installation(repository.installationId);
  const changed = await changedConfig(github, repository, number);
  if (changed === null) return "leaves the configuration alone";
  const pull = await github.pullRequest(repository, number);
  const base = await loadSettings(github, repository, pull.baseRef);
  const head = (await readConfig(github, repository, pull.headSha)) ?? {
    path: changed,
    parsed: { ok: true as const, settings: defaultSettings, problems: [] },
  };
  const { conclusion, title, summary, annotations } = configCheck({ ...head, base: base.settings });
  const content: CheckRunContent = {
    name: configCheckName,
    status: "completed",
    conclusion,
    title,
    summary: dependencies.redact(summary),
    text: "",
    annotations,
    detailsUrl: null,
  };
  const row = outboxRow({
    operationKey: `config:${repository.id}:${pull.headSha}`,
    repository,
    kind: "check-run",
    payload: { sha: pull.headSha, externalId: `config:${pull.headSha}`, content },
    priority: 10,
  });
  await dependencies.store.write({ outbox: [row] });
  return conclusion === "failure" ? `configuration has errors: ${title}` : `checked the configuration: ${title}`;
}
