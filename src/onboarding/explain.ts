/**
 * The text of a proposal for people: findings, files, costs, permissions, and remaining steps. Markdown, which terminals
 * show as source.
 */

import { product } from "../core/product.ts";
import { count, totalTokens, usd } from "../text/format.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import type { Detected } from "./detect.ts";
import { assumedMinutes, assumedSteps, type Estimate } from "./estimate.ts";
import { workflowsFolder } from "./facts.ts";
import type { PlannedFile } from "./plan.ts";
import type { Permission } from "./workflow-file.ts";

export interface Proposal {
  detected: Detected;
  files: readonly PlannedFile[];
  /** Files that GitHub let nobody write. People add them by hand. `text` of a change: the difference. */
  refused: readonly { path: string; text: string; isChange: boolean; url: string; reason: string }[];
  estimate: Estimate | null;
  budgetUsd: number;
  permissions: readonly Permission[];
  worksFor: "alone" | "app";
  /** The place of the proposal: a pull request, or files in a clone. */
  place: "pull-request" | "clone";
  /** Nobody asked for it: the App was installed. */
  byItself: boolean;
}

export const pullRequestTitle = "Set up Baton";

/** The steps of a person from here to the first pull request of an agent. */
function nextSteps({
  detected,
  files,
  worksFor,
  place,
}: Pick<Proposal, "detected" | "files" | "worksFor" | "place">): string[] {
  const isUnknown = product.isPlaceholder && files.some(({ text }) => text.includes(product.action));
  const hasSecret = detected.keys.some(({ where }) => where === "repository secret");
  const settings = detected.name === null ? "Settings" : `Settings of ${detected.name}`;
  return [
    ...(detected.isEmpty ? ["Make the first commit: Baton works on branches of an existing one."] : []),
    ...(detected.isEmpty || detected.checks.length === 0
      ? ["Add CI that runs on pull requests. Without a check no run can pass."]
      : []),
    ...(isUnknown
      ? [
          `Replace \`${product.repository}\` in the files with the repository of your Baton: no release made this one. On the command line, \`baton init --action <owner/name@ref>\` does it.`,
        ]
      : []),
    ...(worksFor === "alone" && !hasSecret
      ? [
          `Add the secret \`${detected.key}\`: ${settings} → Secrets and variables → Actions, or \`gh secret set ${detected.key}\`.`,
        ]
      : []),
    ...(worksFor === "alone"
      ? [`Allow Actions to create pull requests: ${settings} → Actions → General → Workflow permissions.`]
      : []),
    place === "clone"
      ? `Commit the files and push them to ${code(detected.defaultBranch)}.`
      : "Merge this pull request.",
    "Comment `/baton run` on an issue.",
  ];
}

export function explain(proposal: Proposal): string {
  const { files, refused, permissions, worksFor, place } = proposal;
  return [
    introduction(proposal),
    section("What was found", found(proposal)),
    ...leftOutSection(proposal),
    section("Files", files.map(fileLine).join("\n")),
    ...files.filter(({ action }) => action === "change").map(changeBlock),
    ...(files.some(({ action }) => action === "keep") ? [renderKept(files)] : []),
    ...refused.map(refusedBlock),
    section("What a run costs", costs(proposal)),
    section("Access by strangers", strangers(worksFor)),
    section(
      worksFor === "alone" ? "Permissions of the workflow, with reasons" : "Permissions of the App, with reasons",
      [
        "| Permission | Access | Why |",
        "|---|---|---|",
        ...permissions.map(({ name, access, reason }) => `| ${name} | ${access} | ${reason} |`),
      ].join("\n"),
    ),
    ...updateSection(proposal),
    section(
      "Next steps",
      nextSteps(proposal)
        .map((step, index) => `${index + 1}. ${step}`)
        .join("\n"),
    ),
    section("How to remove Baton", removal(proposal)),
    place === "clone"
      ? "Run `baton init` again to refresh the files. Baton keeps people's changes."
      : "`/baton setup` refreshes this pull request. Baton keeps people's changes.",
  ].join("\n\n");
}

function introduction({ worksFor, place, byItself }: Proposal): string {
  const what =
    "Baton turns an issue into a pull request: an agent writes it, this repository's own CI checks it, a person reviews it, and a budget bounds it.";
  const start = "A person with write permission starts a run by the comment `/baton run`. Nothing starts by itself.";
  if (place === "clone")
    return `These files set Baton up. ${what} ${start} The files must be on the default branch first.`;
  const again = byItself
    ? "Baton opened this pull request because its App was installed here, and opens no second one. `/baton setup` does."
    : "";
  const first = "**Merge this pull request to start with Baton. Close it to decline.**";
  const app =
    "The App already answers `/baton` commands here, with the defaults. This pull request adds the configuration for this repository.";
  return [first, [what, start].join(" "), [...(worksFor === "app" ? [app] : []), again].join(" ").trim()]
    .filter((text) => text !== "")
    .join("\n\n");
}

function strangers(worksFor: Proposal["worksFor"]): string {
  return [
    "- No run, and no agent. Commands count from people with write permission only (`commands.run`, `commands.steer`).",
    "- Words of others reach an agent only when somebody with that permission starts a run in their issue. Baton marks these words as untrusted.",
    "- Baton never works on the branch of a fork.",
    ...(worksFor === "alone"
      ? [
          "- A comment with `/baton` by anybody starts the job `Baton reads the event`: about 1 minute of GitHub Actions, with a token that may only read, and without a secret.",
        ]
      : []),
  ].join("\n");
}

/** The line by which a bot raises the versions of the workflow. */
function updateSection({ detected: { updaters }, files, worksFor }: Proposal): string[] {
  if (!files.some(({ path }) => path.startsWith(workflowsFolder)) || worksFor !== "alone") return [];
  const dependabot =
    "Dependabot: `- { package-ecosystem: github-actions, directory: /, schedule: { interval: weekly } }` below `updates` in `.github/dependabot.yml` raises the Action.";
  const renovate =
    'Renovate raises the Action by itself. `"extends": ["customManagers:githubActionsVersions"]` also raises the agent, by the comment above its version.';
  const lines =
    updaters.length === 0 || updaters.length === 2
      ? [dependabot, renovate]
      : updaters[0] === "renovate"
        ? [renovate]
        : [dependabot];
  return [
    section(
      "Versions",
      ["The Action and the agent have exact versions.", "", ...lines.map((line) => `- ${line}`)].join("\n"),
    ),
  ];
}

function removal({ worksFor, files }: Proposal): string {
  const paths = files.filter(({ action }) => action !== "change").map(({ path }) => code(path));
  if (worksFor === "app")
    return `Uninstall the App (Settings → GitHub Apps → Configure), and delete ${listed(paths)}. Branches, pull requests and comments stay yours.`;
  return [
    `Delete ${listed(paths)}, and the secret. Branches, pull requests and comments stay yours. Baton's records go with their refs:`,
    "",
    fence("git push origin --delete $(git ls-remote origin 'refs/baton/*' | cut -f2)", "sh"),
  ].join("\n");
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Workflows that Baton will not start, each with its reasons. The code that makes the reasons escapes them. */
function leftOutSection({ detected: { workflows }, worksFor }: Pick<Proposal, "detected" | "worksFor">): string[] {
  const left = workflows.filter(({ leftOut }) => leftOut.length > 0);
  if (left.length === 0) return [];
  const lines = left.map(({ path, leftOut }) => `- ${code(path)}: ${leftOut.join(" ")}`);
  return [
    section(
      "Workflows that Baton does not start",
      [
        "Baton starts a workflow only if a pull request would start it too, and it works without the event of a pull request. Nothing in it may publish, because an agent's commit is not reviewed yet.",
        "",
        ...lines,
        ...(worksFor === "alone" && left.some(({ isCi }) => isCi)
          ? [
              "",
              `A push with the job's own token starts no workflow. **Checks of ${left
                .filter(({ isCi }) => isCi)
                .map(({ path }) => code(path))
                .join(
                  ", ",
                )} are then missing on Baton's commits.** With the token of an App (input \`token\`) they run as for anybody.`,
            ]
          : []),
      ].join("\n"),
    ),
  ];
}

function section(title: string, body: string): string {
  return `### ${title}\n\n${body}`;
}

/** Anybody with write access wrote the files with these names, so Baton shows the names as code. */
function code(text: string): string {
  return `\`${text.replaceAll(/[`\r\n|]/g, "?")}\``;
}

function found({ detected, files, worksFor }: Pick<Proposal, "detected" | "files" | "worksFor">): string {
  const {
    isWhole,
    languages,
    packageManagers,
    taskRunners,
    monorepo,
    checks,
    required,
    workflows,
    keys,
    secretsKnown,
    key,
    codeowners,
    branch,
    defaultBranch,
    writers,
    isEmpty,
    settingsPaths,
  } = detected;
  const ci = workflows.filter(({ isCi }) => isCi);
  // A workflow that Baton leaves out for its contents must stay closed to Baton.
  const changed = new Set(files.filter(({ action }) => action === "change").map(({ path }) => path));
  const silent = ci.filter(
    ({ path, dispatchable, leftOut }) => !dispatchable && leftOut.length === 0 && !changed.has(path),
  );
  const rows: [string, string][] = [
    ["Languages", languages.map(({ name, files }) => `${name} (${files})`).join(", ") || "none that is known"],
    ["Package managers", named(packageManagers) || "none"],
    ...(taskRunners.length === 0 ? [] : [["Task runners", named(taskRunners)] satisfies [string, string]]),
    ...(monorepo === null ? [] : [["Monorepo", monorepoLine(monorepo)] satisfies [string, string]]),
    [
      "CI checks",
      [...new Set(checks.map(({ name }) => code(name)))].join(", ") ||
        "none in `.github/workflows`; other CI is waited for as well",
    ],
    ...(checks.length === 0 ? [] : [["Required checks", requiredLine(required)] satisfies [string, string]]),
    // Agents of an App use the keys of its operator.
    ...(worksFor === "alone" ? [["Keys of models", keysLine(keys, secretsKnown, key)] satisfies [string, string]] : []),
    ["Code owners", codeowners === null ? "none" : code(codeowners)],
    [`Branch ${code(defaultBranch)}`, branchLine(branch)],
  ];
  const notes = [
    ...(settingsPaths.length > 1
      ? [
          `**There are ${settingsPaths.length} configurations**, and no command works until only one is left: ${settingsPaths.map(code).join(", ")}.`,
        ]
      : []),
    ...(isEmpty
      ? ["This repository has no commit yet. Baton works on branches of an existing one, so make that first."]
      : []),
    ...(writers !== null && writers <= 1
      ? [
          "Only one person has write access. **Nobody approves their own run**, so no run can pass until a second person reviews, or `approvals: { self: allow }` is set. The line is in `baton.yaml`, switched off.",
        ]
      : []),
    ...(isWhole
      ? []
      : ["This repository has more files than GitHub lists at once: languages and package managers are of a part."]),
    ...(worksFor === "alone" && silent.length > 0
      ? [
          `A push with the job's own token starts no CI. Add \`workflow_dispatch:\` to \`on\` of ${silent.map(({ path }) => code(path)).join(", ")}, or give the Action the token of an App.`,
        ]
      : []),
    ...(checks.length === 0 ? ["Without any check a run ends as failed; `gates.noChecks: pass` changes that."] : []),
  ];
  return [
    "| Part | Found |",
    "|---|---|",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `- ${note}`)]),
  ].join("\n");
}

function named(tools: readonly { name: string; path: string }[]): string {
  return tools.map(({ name, path }) => `${name} (${code(path)})`).join(", ");
}

function monorepoLine({ joinedBy, projects }: NonNullable<Detected["monorepo"]>): string {
  const many = `${projects} ${projects === 1 ? "project" : "projects"}`;
  return joinedBy.length === 0 ? many : `${named(joinedBy)}, ${many}`;
}

function requiredLine({ names, why }: Detected["required"]): string {
  return names.length === 0
    ? `none proposed, so every check must be green: ${why}`
    : `${names.map(code).join(", ")} proposed for \`gates.required\`: ${why}`;
}

function keysLine(keys: Detected["keys"], secretsKnown: boolean, key: string): string {
  const shown = keys.map(({ name, where, harnesses }) => `${code(name)} (${where}; for ${harnesses.join(", ")})`);
  if (keys.some(({ where }) => where === "repository secret")) return shown.join(", ");
  const unknown = secretsKnown
    ? `no secret yet; ${code(key)} is expected`
    : `secrets of the repository may not be read from here; ${code(key)} is expected`;
  return [...shown, unknown].join("; ");
}

function branchLine(branch: Detected["branch"]): string {
  if (branch === null) return "not known from here";
  if (!branch.protected) return "not protected; Baton itself still asks for a review";
  return [
    "protected",
    ...(branch.requiredChecks.length > 0 ? [`requires ${branch.requiredChecks.map(code).join(", ")}`] : []),
    ...(branch.reviews > 0 ? [`${branch.reviews} approval${branch.reviews === 1 ? "" : "s"}`] : []),
    ...(branch.codeOwners ? ["review of code owners"] : []),
  ].join(", ");
}

const actions: Record<PlannedFile["action"], string> = {
  create: "new",
  refresh: "brought up to date; nobody had changed it",
  unchanged: "as it should be",
  keep: "was changed by people and is left as it is",
  change: "gets `workflow_dispatch`, so that Baton can start it after its pushes",
};

function fileLine({ path, action, problem }: PlannedFile): string {
  const broken =
    problem === undefined
      ? ""
      : `. **It has errors**, and no command works until they are gone: ${neutraliseLine(problem)}`;
  return `- ${code(path)}: ${actions[action]}${broken}`;
}

/** The changes that the proposal would make to files that belong to people. */
export function renderKept(files: readonly PlannedFile[]): string {
  return files
    .filter(({ action }) => action === "keep")
    .map(keptBlock)
    .join("\n\n");
}

function keptBlock({ path, difference }: PlannedFile): string {
  if (difference === "") return `${code(path)} does what the proposal would.`;
  return folded(`Changes that the proposal for ${code(path)} would make`, fence(difference, "diff"));
}

function changeBlock({ path, difference }: PlannedFile): string {
  return folded(`Change of ${code(path)}`, fence(difference, "diff"));
}

function refusedBlock({ path, text, isChange, url, reason }: Proposal["refused"][number]): string {
  return isChange
    ? [
        `${code(path)} could not be changed: ${neutraliseLine(reason)} [Change it yourself](${url}), so that Baton can start it after its pushes:`,
        fence(text, "diff"),
      ].join("\n\n")
    : [
        `${code(path)} could not be added: ${neutraliseLine(reason)} [Add it yourself](${url}) with this content:`,
        folded(code(path), fence(text, "yaml")),
      ].join("\n\n");
}

function folded(title: string, body: string): string {
  return `<details><summary>${title.replaceAll("`", "")}</summary>\n\n${body}\n\n</details>`;
}

function fence(text: string, language: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(Math.max(3, longest + 1));
  return `${ticks}${language}\n${text.trimEnd()}\n${ticks}`;
}

function costs({ estimate, budgetUsd, worksFor }: Pick<Proposal, "estimate" | "budgetUsd" | "worksFor">): string {
  return [...money(estimate, budgetUsd), "", minutes(worksFor)].join("\n");
}

function money(estimate: Estimate | null, budgetUsd: number): string[] {
  const bound = `The budget holds in any case: ${usd(budgetUsd)} a run (\`budget.runUsd\`), set aside before each step.`;
  if (estimate === null || estimate.totalUsd === null)
    return [`No price is known for ${estimate === null ? "the agent's model" : code(estimate.model)}. ${bound}`];
  const { model, steps, totalUsd, tokens, tableVersion } = estimate;
  return [
    `About **${usd(totalUsd)}** with ${code(model)} for a task of a few files that is repaired once. ${bound}`,
    "",
    "| Step | Tokens assumed | Of these from the cache | Cost | Agent's time |",
    "|---|---|---|---|---|",
    ...assumedSteps.map(
      (step, index) =>
        `| ${step.name} | ${count(totalTokens(step.tokens))} | ${count(step.tokens.cacheRead)} | ${usd(steps[index]?.usd ?? 0)} | ${step.minutes} min |`,
    ),
    `| together | ${count(totalTokens(tokens))} | ${count(tokens.cacheRead)} | ${usd(totalUsd)} | ${assumedMinutes.agents} min |`,
    "",
    `Prices of ${tableVersion}. Runs differ by a factor of five and more; the status comment shows what yours cost.`,
  ];
}

function minutes(worksFor: Proposal["worksFor"]): string {
  const ci = "Your CI runs once for each push, 2 pushes in this example.";
  return worksFor === "app"
    ? `Agents work on the App's machine, about ${assumedMinutes.agents} minutes a run. ${ci}`
    : `GitHub Actions: about **${assumedMinutes.runners} minutes** a run, and 1 for each hour in which a run waits. Public repositories pay nothing for them. ${ci}`;
}
