/**
 * A pull request that changes `baton.yaml` or a process of the repository gets a check run. It shows problems at their
 * lines, or the effective changes.
 *
 * CC1 It only shows: Baton judges and runs by the base branch (Y1).
 * CC2 A head commit gets one check run, however many events arrive for it.
 */

import { inputsOf, processFolder, processPath, RepositoryProcesses } from "../begin/load-processes.ts";
import { bothChecks, type ConfigCheck, configCheck, processesCheck } from "../config/check.ts";
import { type ConfigSurroundings, configPaths } from "../config/parse.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { defaultSettings } from "../config/schema.ts";
import { startsOf, wakeUpsOf, workflowFolder } from "../config/wake-ups.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { CheckRunContent, Github, PullRequestFacts } from "../ports/github.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { loadSettings, readConfig } from "../runner/load-settings.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import { neutralise, neutraliseLine } from "../text/neutralise.ts";
import type { ConfigOutcome } from "./outcome.ts";

const configCheckName = "Baton configuration";

/** Baton's own files that the pull request changes. null: none. */
export async function changedConfig(
  github: Pick<Github, "pullRequestFiles">,
  repository: Repository,
  number: number,
): Promise<{ settings: string | null; processes: string[] } | null> {
  const files = await github.pullRequestFiles(repository, number);
  const settings = configPaths.find((path) => files.includes(path)) ?? null;
  const processes = files.filter((path) => path.startsWith(`${processFolder}/`));
  return settings === null && processes.length === 0 ? null : { settings, processes };
}

export async function checkConfig(
  dependencies: Pick<Dependencies, "store" | "github" | "processes" | "redact" | "publicUrl">,
  repository: Repository,
  number: number,
): Promise<ConfigOutcome> {
  const github = await dependencies.github.installation(repository.installationId);
  const changed = await changedConfig(github, repository, number);
  if (changed === null) return null;
  const pull = await github.pullRequest(repository, number);
  const { settings, processes } = changed;
  const check = bothChecks(
    settings === null ? null : await settingsCheck(dependencies, github, repository, pull, settings),
    processes.length === 0 ? null : await changedProcesses(dependencies, github, repository, pull, processes),
  );
  if (check === null) return null;
  const content = configCheckRun(check, dependencies.redact);
  const row = outboxRow({
    operationKey: `config:${repository.id}:${pull.headSha}`,
    repository,
    kind: "check-run",
    payload: { sha: pull.headSha, externalId: `config:${pull.headSha}`, content },
    priority: 10,
  });
  await dependencies.store.write({ outbox: [row] });
  const { conclusion, title } = check;
  return { ok: conclusion !== "failure", title };
}

/** The author of the pull request chose the names and values, so Baton shows them defused. */
export function configCheckRun(
  { conclusion, title, summary, annotations }: ConfigCheck,
  redact: (text: string) => string,
): CheckRunContent {
  return {
    name: configCheckName,
    status: "completed",
    conclusion,
    title: redact(neutraliseLine(title)),
    summary: redact(neutralise(summary)),
    text: "",
    annotations: annotations.map((one) => ({ ...one, message: redact(one.message) })),
    detailsUrl: null,
  };
}

async function settingsCheck(
  dependencies: Pick<Dependencies, "processes" | "publicUrl">,
  github: Github,
  repository: Repository,
  pull: PullRequestFacts,
  changed: string,
): Promise<ConfigCheck> {
  const base = await loadSettings(github, repository, pull.baseRef);
  const surroundings = await surroundingsOf(dependencies, github, repository, pull.headSha);
  const head = (await readConfig(github, repository, pull.headSha, surroundings)) ?? {
    path: changed,
    parsed: { ok: true as const, settings: defaultSettings, problems: [] },
  };
  return configCheck({ ...head, base: base.settings });
}

/** An App wakes by its own clock, a job by that of the workflow. */
async function surroundingsOf(
  { processes, publicUrl }: Pick<Dependencies, "processes" | "publicUrl">,
  github: Github,
  repository: Repository,
  sha: string,
): Promise<ConfigSurroundings> {
  const files = new RepositoryProcesses(processes, github, repository, sha);
  const own = await files.fileNames();
  const checked = await Promise.all(own.map((name) => files.check(name)));
  const known = { processes: [...processes.names(), ...own], inputs: inputsOf(processes.names(), checked) };
  if (publicUrl !== undefined) return known;
  const workflows = (await github.directory(repository, workflowFolder, sha)).filter((name) => /\.ya?ml$/.test(name));
  const texts = await Promise.all(workflows.map((name) => github.file(repository, `${workflowFolder}/${name}`, sha)));
  const found = texts.filter((text) => text !== null);
  return { ...known, wakeUps: found.flatMap(wakeUpsOf), starts: found.flatMap(startsOf) };
}

/** Baton checks removed files through the files that use them: these. */
async function changedProcesses(
  { processes }: Pick<Dependencies, "processes">,
  github: Github,
  repository: Repository,
  pull: PullRequestFacts,
  paths: readonly string[],
): Promise<ConfigCheck | null> {
  const own = new RepositoryProcesses(processes, github, repository, pull.headSha);
  const names = await own.fileNames();
  const checked = await Promise.all(names.map((name) => own.check(name)));
  const read = checked
    .filter(({ path, parsed }) => paths.includes(path) || !parsed.ok)
    .map(({ path, parsed: { problems } }) => ({ path, problems }));
  const others = paths
    .filter((path) => /\.ya?ml$/.test(path) && !path.endsWith(".yaml"))
    .map((path) => ({ path, problems: [misnamed(path)] }));
  const all = [...read, ...others];
  return all.length === 0 ? null : processesCheck(all);
}

function misnamed(path: string): ConfigProblem {
  const name = path.slice(processFolder.length + 1).replace(/\.yml$/, "");
  return {
    line: 1,
    column: 1,
    path: "",
    message: `This file is not read. Name it \`${processPath(name)}\`.`,
    suggestion: null,
    severity: "warning",
  };
}
