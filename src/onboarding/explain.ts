/**
 * The text of a proposal for people: findings, files, costs, permissions, and remaining steps. Markdown, which terminals
 * show as source.
 */

import { product } from "../core/product.ts";
import { count, totalTokens, usd } from "../text/format.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import type { Detected } from "./detect.ts";
import { assumedSteps, type Estimate } from "./estimate.ts";
import type { PlannedFile } from "./plan.ts";
import type { Permission } from "./workflow-file.ts";

export interface Proposal {
  detected: Detected;
  files: readonly PlannedFile[];
  /** Files that GitHub let nobody write. People add them by hand. */
  refused: readonly { path: string; text: string; url: string; reason: string }[];
  estimate: Estimate | null;
  budgetUsd: number;
  permissions: readonly Permission[];
  worksFor: "alone" | "app";
  /** The place of the proposal: a pull request, or files in a clone. */
  place: "pull-request" | "clone";
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
  const { detected, files, refused, estimate, permissions, worksFor, place } = proposal;
  return [
    introduction(proposal),
    section("What was found", found(detected)),
    ...leftOutSection(detected.workflows),
    section("Files", files.map(fileLine).join("\n")),
    ...(files.some(({ action }) => action === "keep") ? [renderKept(files)] : []),
    ...refused.map(refusedBlock),
    ...(estimate === null ? [] : [section("What a run costs", costs(estimate, proposal.budgetUsd))]),
    section(
      worksFor === "alone" ? "Permissions of the workflow, with reasons" : "Permissions of the App, with reasons",
      [
        "| Permission | Access | Why |",
        "|---|---|---|",
        ...permissions.map(({ name, access, reason }) => `| ${name} | ${access} | ${reason} |`),
      ].join("\n"),
    ),
    section(
      "Next steps",
      nextSteps(proposal)
        .map((step, index) => `${index + 1}. ${step}`)
        .join("\n"),
    ),
    `${place === "clone" ? "Run it again and the files are" : "Ask again and this is"} refreshed. Baton keeps people's changes.`,
  ].join("\n\n");
}

function introduction({ worksFor, place }: Proposal): string {
  const what = place === "clone" ? "These files" : "This pull request";
  return worksFor === "alone"
    ? `${what} set${place === "clone" ? "" : "s"} Baton up: an issue becomes a reviewed pull request, gated by this repository's own CI, within a budget. Nothing runs until it is on the default branch and somebody comments \`/baton run\`.`
    : "The App already answers `/baton` commands here. This pull request adds its configuration, with every key explained, and the workflow of its runners, which is used with `executor: actions` and idle without. Without both the defaults hold.";
}

/** Workflows that Baton will not start, each with its reasons. The code that makes the reasons escapes them. */
function leftOutSection(workflows: Detected["workflows"]): string[] {
  const left = workflows.filter(({ leftOut }) => leftOut.length > 0);
  if (left.length === 0) return [];
  const lines = left.map(({ path, leftOut }) => `- ${code(path)}: ${leftOut.join(" ")}`);
  return [
    section(
      "Workflows that Baton does not start",
      [
        "Baton starts a workflow only if a pull request would start it too, and nothing in it may publish: an agent's commit is not reviewed yet.",
        "",
        ...lines,
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

function found({
  isWhole,
  languages,
  packageManagers,
  checks,
  workflows,
  keys,
  secretsKnown,
  key,
  codeowners,
  branch,
  defaultBranch,
}: Detected): string {
  const ci = workflows.filter(({ isCi }) => isCi);
  // A workflow that Baton leaves out for its contents must stay closed to Baton.
  const silent = ci.filter(({ dispatchable, leftOut }) => !dispatchable && leftOut.length === 0);
  const rows: [string, string][] = [
    ["Languages", languages.map(({ name, files }) => `${name} (${files})`).join(", ") || "none that is known"],
    ["Package managers", packageManagers.map(({ name, path }) => `${name} (${code(path)})`).join(", ") || "none"],
    [
      "CI checks",
      checks.map(({ name }) => code(name)).join(", ") || "none in `.github/workflows`; other CI is waited for as well",
    ],
    ["Keys of models", keysLine(keys, secretsKnown, key)],
    ["Code owners", codeowners === null ? "none" : code(codeowners)],
    [`Branch ${code(defaultBranch)}`, branchLine(branch)],
  ];
  const notes = [
    ...(isWhole
      ? []
      : ["This repository has more files than GitHub lists at once: languages and package managers are of a part."]),
    ...(ci.length > 0 && silent.length > 0
      ? [
          `A push with the job's own token starts no CI. Add \`workflow_dispatch:\` to \`on\` of ${silent.map(({ path }) => code(path)).join(", ")}, or give the Action the token of an App.`,
        ]
      : []),
    ...(checks.length === 0 ? ["Without any check a run ends as failed; `gates.noChecks: pass` changes that."] : []),
  ];
  return [
    "| | |",
    "|---|---|",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `- ${note}`)]),
  ].join("\n");
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

function refusedBlock({ path, text, url, reason }: Proposal["refused"][number]): string {
  return [
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

function costs({ model, steps, totalUsd, tokens, tableVersion }: Estimate, budgetUsd: number): string {
  const bound = `The budget holds in any case: ${usd(budgetUsd)} a run (\`budget.runUsd\`), set aside before each step.`;
  if (totalUsd === null) return `No price is known for ${code(model)}. ${bound}`;
  return [
    `About **${usd(totalUsd)}** with ${code(model)} for a task of a few files that is repaired once. ${bound}`,
    "",
    "| Step | Tokens assumed | Of these from the cache | Cost |",
    "|---|---|---|---|",
    ...assumedSteps.map(
      (step, index) =>
        `| ${step.name} | ${count(totalTokens(step.tokens))} | ${count(step.tokens.cacheRead)} | ${usd(steps[index]?.usd ?? 0)} |`,
    ),
    `| together | ${count(totalTokens(tokens))} | ${count(tokens.cacheRead)} | ${usd(totalUsd)} |`,
    "",
    `Prices of ${tableVersion}. Runs differ by a factor of five and more; the status comment shows what yours cost.`,
  ].join("\n");
}
