/**
 * `baton init`: from a clone to a workflow and a configuration, on disk or as a pull request.
 *
 * IN1 The token comes from GITHUB_TOKEN, which the person sets. Baton does not search for another.
 * IN2 The token goes only to the clone's GitHub, or to the GitHub that the environment names.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTokenGithub } from "../adapters/github/github-token.ts";
import { describedHarnesses } from "../adapters/harness/descriptions.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { sha256 } from "../adapters/system/sha256.ts";
import { BatonError, toBatonError } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import { readSettings } from "../environment/settings.ts";
import { detect } from "../onboarding/detect.ts";
import { type Clone, diskFacts } from "../onboarding/disk-facts.ts";
import { explain, type Proposal } from "../onboarding/explain.ts";
import type { RepositoryFacts } from "../onboarding/facts.ts";
import { branchFacts, writersOf } from "../onboarding/github-facts.ts";
import { type PlannedFile, planFiles } from "../onboarding/plan.ts";
import { proposalOf, propose } from "../onboarding/propose.ts";
import { withAction, workflowAlone } from "../onboarding/template.ts";
import type { Github } from "../ports/github.ts";
import { demandHarness } from "../routing/harness-names.ts";
import { harnessesHere } from "../wire-tools.ts";
import type { CliContext } from "./context.ts";
import { exitCodes } from "./exit.ts";

interface Options {
  action?: string;
  harness?: string;
  pullRequest?: true;
  dryRun?: true;
  force?: true;
  json?: true;
}

interface Online {
  github: Github;
  repository: Repository;
}

export async function initialise(context: CliContext, options: Options): Promise<void> {
  const { directory, environment, note } = context;
  const clone = await diskFacts(directory, environment);
  const online = await reach(context, clone, options.pullRequest === true);
  const workflow = options.action === undefined ? workflowAlone() : withAction(workflowAlone(), options.action);
  // By their descriptions, because a runner has the programs that the workflow installs.
  const named = describedHarnesses.filter(({ keys }) => keys !== null).map(({ name }) => name);
  const harness = options.harness === undefined ? null : demandHarness(options.harness, named);
  const harnesses = harnessesHere(readSettings({}));
  const shared = {
    workflow,
    permissionsText: workflow.text,
    digest: sha256,
    modelOf: (harness: string) => harnesses.get(harness)?.defaultModel ?? null,
  };
  if (options.pullRequest === true && options.dryRun !== true && online !== null) {
    const { pullRequest, proposal } = await propose({
      ...online,
      ...shared,
      harness,
      more: { environmentNames: clone.facts.environmentNames },
    }).catch((thrown: unknown) => {
      throw ofToken(thrown, clone.facts.name ?? "");
    });
    answer(context, options, proposal, pullRequest?.url ?? null);
    return;
  }
  const facts = online === null ? clone.facts : await withGithub(online, clone.facts, note);
  const detected = detect(facts, harness);
  const planned = planFiles({ ...shared, detected });
  const files = options.force === true ? planned.map(forced) : planned;
  if (options.dryRun !== true) for (const file of files) write(clone.root, file);
  answer(context, options, proposalOf({ ...shared, place: "clone" }, detected, files, []), null);
}

/** GitHub with the person's token. null: there is no token, or the clone has no address there. */
async function reach({ environment, note }: CliContext, clone: Clone, needed: boolean): Promise<Online | null> {
  const token = environment["GITHUB_TOKEN"] ?? "";
  const [owner, name] = clone.facts.name?.split("/") ?? [];
  if (token === "" || owner === undefined || name === undefined) {
    if (!needed) return null;
    throw token === ""
      ? new BatonError(
          "BATON_SETTINGS_INVALID",
          "GITHUB_TOKEN is not set: `GITHUB_TOKEN=$(gh auth token) baton init --pull-request`.",
        )
      : new BatonError(
          "BATON_INPUT_INVALID",
          clone.remote === null
            ? "This clone has no remote `origin`. Add it: `gh repo create --source . --push`, or `git remote add origin <address>`."
            : `\`origin\` is ${withoutUser(clone.remote)}, which is not a repository on GitHub.`,
        );
  }
  const elsewhere = isElsewhere(clone.host, environment);
  if (elsewhere !== null) {
    if (needed) throw elsewhere;
    note(`GitHub was not asked: ${elsewhere.message}`);
    return null;
  }
  const { GHE_HOST: enterprise } = environment;
  const { githubApiUrl, githubWebUrl } = readSettings({
    GITHUB_API_URL: environment["GITHUB_API_URL"],
    BATON_WEB_URL: environment["BATON_WEB_URL"],
    GHE_HOST: enterprise,
  });
  const github = createTokenGithub({
    token,
    apiUrl: githubApiUrl,
    webUrl: environment["GITHUB_SERVER_URL"] ?? githubWebUrl,
    clock: systemClock,
    appSlug: null,
    ownChecks: [],
    ownCheckRuns: [],
  });
  try {
    const repository = await github.repositoryByName(owner, name);
    return { github: await github.installation(0), repository };
  } catch (thrown) {
    const error = ofToken(thrown, `${owner}/${name}`);
    if (needed) throw error;
    note(`GitHub was not asked: ${error.message}`);
    return null;
  }
}

const publicHost = "github.com";

/**
 * IN2: Baton trusts the GitHub address of the environment. Otherwise the clone must come from the GitHub that would get the
 * token.
 */
function isElsewhere(host: string | null, environment: CliContext["environment"]): BatonError | null {
  const { GITHUB_API_URL: api = "", GHE_HOST: enterprise = "" } = environment;
  const expected = enterprise === "" ? publicHost : enterprise.toLowerCase();
  if (api !== "" || host === expected || (enterprise === "" && host === `ssh.${publicHost}`)) return null;
  return new BatonError(
    "BATON_SETTINGS_INVALID",
    `\`origin\` is on ${host}, and GITHUB_TOKEN would go to ${expected}. For a GitHub Enterprise Server set GHE_HOST=${host}; where ${host} is another name of it, GITHUB_API_URL=https://api.github.com.`,
  );
}

/** Missing permissions of a person's token need another message than those of the App. */
function ofToken(thrown: unknown, repository: string): BatonError {
  const error = toBatonError(thrown);
  const options = { cause: thrown };
  if (error.code === "BATON_GITHUB_NOT_FOUND")
    return new BatonError(
      "BATON_TOKEN_DENIED",
      `GITHUB_TOKEN sees no repository ${repository}: ${error.message}`,
      options,
    );
  if (error.code === "BATON_GITHUB_DENIED")
    return new BatonError(
      "BATON_TOKEN_DENIED",
      `GITHUB_TOKEN may not do this in ${repository}: ${error.message}`,
      options,
    );
  return error;
}

/** Nobody may read a token in an address. */
function withoutUser(remote: string): string {
  return remote.replace(/\/\/[^@/]*@/, "//");
}

/** Adds facts that only GitHub knows. A clone is enough to continue without them. */
async function withGithub(
  { github, repository }: Online,
  facts: RepositoryFacts,
  note: (text: string) => void,
): Promise<RepositoryFacts> {
  try {
    const [secretNames, branch, writers] = await Promise.all([
      github.setup(repository).secretNames(),
      branchFacts(github, repository),
      writersOf(github, repository),
    ]);
    return { ...facts, defaultBranch: repository.defaultBranch, secretNames, branch, writers };
  } catch (thrown) {
    note(`GitHub was not asked: ${toBatonError(thrown).message}`);
    return facts;
  }
}

function forced(file: PlannedFile): PlannedFile {
  return file.action === "keep" ? { ...file, action: "refresh" } : file;
}

function write(root: string, { path, text, action }: PlannedFile): void {
  if (action !== "create" && action !== "refresh" && action !== "change") return;
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

function answer({ print, exit }: CliContext, options: Options, proposal: Proposal, url: string | null): void {
  const kept = proposal.files.some(({ action }) => action === "keep");
  if (kept) exit(exitCodes.no);
  if (options.json === true) {
    const { detected, files, refused, estimate, permissions } = proposal;
    print(JSON.stringify({ detected, files, refused, estimate, permissions, pullRequest: url }, null, 2));
    return;
  }
  if (options.dryRun === true)
    for (const { path, text, action } of proposal.files) if (action !== "keep") print(`--- ${path} ---\n${text}`);
  print(explain(proposal));
  if (url !== null) print(`\n${url}`);
}
