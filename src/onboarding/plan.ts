/**
 * Decides about each file: Baton creates a new file and refreshes an untouched one. It leaves a file of people unchanged and
 * shows the difference.
 */
import { effectiveDifference } from "../config/effective.ts";
import { parseConfig } from "../config/parse.ts";
import { defaultSettings } from "../config/schema.ts";
import { product } from "../core/product.ts";
import { withDispatch } from "./add-dispatch.ts";
import type { Detected } from "./detect.ts";
import { workflowsFolder } from "./facts.ts";
import { lineDifference } from "./line-difference.ts";
import { type Digest, isUntouched, seal } from "./seal.ts";
import { settingsFile } from "./settings-file.ts";
import { actionOf, workflowFile } from "./workflow-file.ts";
import { readWorkflow } from "./workflows.ts";

export interface PlannedFile {
  path: string;
  /** The proposed text. */
  text: string;
  /** `change`: a file of people that gets a few characters more, and stays theirs. */
  action: "create" | "refresh" | "unchanged" | "keep" | "change";
  /** For a kept file: the changes that the proposal would make. For a changed one: the changes. */
  difference: string;
  /** For a changed file: its text until now. */
  before?: string;
  /** For a kept file that Baton cannot read: the problem. */
  problem?: string;
}

/** The workflow that works alone, or the workflow for an App. Next to an App, the first would answer everything twice. */
export interface WorkflowTemplate {
  for: "alone" | "app";
  text: string;
  /** The workflow that wakes the first, once an hour while something waits. */
  wakeUp?: string;
}

export interface PlanOptions {
  detected: Detected;
  workflow: WorkflowTemplate;
  digest: Digest;
}

export function planFiles({ detected, workflow, digest }: PlanOptions): PlannedFile[] {
  const { repository, ref } = actionOf(workflow.text) ?? { repository: product.repository, ref: "main" };
  const { texts, harness, required, packageManagers, writers } = detected;
  const plan = (path: string, text: string): PlannedFile =>
    planFile(path, seal(text, digest), texts.get(path) ?? null, digest);
  const changes = workflow.for === "alone" ? dispatchChanges(detected) : [];
  const settings = settingsFile({
    schemaUrl: `https://raw.githubusercontent.com/${repository}/${ref}/schemas/baton.schema.json`,
    referenceUrl: `https://github.com/${repository}/blob/${ref}/docs/reference/baton-yaml.md`,
    harness,
    required,
    isAlone: writers === null ? null : writers <= 1,
    packageManagers,
  });
  const path = workflowPathOf(workflow, detected);
  return [
    ...(path === null
      ? []
      : [
          plan(
            path,
            workflowFile(
              workflow.text,
              detected,
              changes.map((one) => one.path),
            ),
          ),
        ]),
    ...(workflow.wakeUp === undefined ? [] : [plan(`${workflowsFolder}baton-wake-up.yml`, workflow.wakeUp)]),
    ...changes,
    plan(detected.settingsPath, settings),
  ];
}

/** null: an App whose agents work on its own machine needs no workflow. */
function workflowPathOf(workflow: WorkflowTemplate, { texts, settingsPath }: Detected): string | null {
  if (workflow.for === "alone") return `${workflowsFolder}baton.yml`;
  const parsed = parseConfig(texts.get(settingsPath) ?? "");
  const settings = parsed.ok ? parsed.settings : defaultSettings;
  return settings.executor === "actions" ? workflowsFolder + settings.runnerWorkflow : null;
}

/** CI that Baton could start after its pushes, if it had `workflow_dispatch`. Read again, so that nothing else changes. */
function dispatchChanges({ workflows, texts, defaultBranch }: Detected): PlannedFile[] {
  return workflows
    .filter(({ isCi, dispatchable, leftOut }) => isCi && !dispatchable && leftOut.length === 0)
    .flatMap(({ path }): PlannedFile[] => {
      const before = texts.get(path) ?? "";
      const text = withDispatch(before);
      if (text === null) return [];
      const read = readWorkflow(path, text, { base: defaultBranch, read: (other) => texts.get(other) ?? null });
      return read?.workflow.dispatchable === true
        ? [{ path, text, action: "change", before, difference: lineDifference(before, text) }]
        : [];
    });
}

export function planFile(path: string, text: string, present: string | null, digest: Digest): PlannedFile {
  if (present === null) return { path, text, action: "create", difference: "" };
  const difference = lineDifference(present, text);
  if (difference === "") return { path, text, action: "unchanged", difference };
  if (isUntouched(present, digest)) return { path, text, action: "refresh", difference };
  const problem = problemOf(path, present);
  if (problem !== null) return { path, text, action: "keep", difference, problem };
  return { path, text, action: "keep", difference: inEffect(path, present, text) ?? difference };
}

/** The problem of a broken configuration, which says more than a comparison. */
function problemOf(path: string, present: string): string | null {
  if (path.startsWith(workflowsFolder)) return null;
  const parsed = parseConfig(present);
  if (parsed.ok) return null;
  const [first] = parsed.problems;
  return first === undefined ? "it cannot be read" : `line ${first.line}: ${first.message}`;
}

/** For configurations: the difference in effect, not in text. null for other files and broken ones. */
function inEffect(path: string, present: string, proposed: string): string | null {
  if (path.startsWith(workflowsFolder)) return null;
  const [old, now] = [parseConfig(present), parseConfig(proposed)];
  if (!old.ok || !now.ok) return null;
  const changes = effectiveDifference(old.settings, now.settings);
  return changes.map(({ path: key, from, to }) => `-${key}: ${from}\n+${key}: ${to}`).join("\n");
}
