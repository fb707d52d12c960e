/**
 * Decides about each file: Baton creates a new file and refreshes an untouched one. It leaves a file of people unchanged and
 * shows the difference.
 */
import { effectiveDifference } from "../config/effective.ts";
import { parseConfig } from "../config/parse.ts";
import { defaultSettings } from "../config/schema.ts";
import { product } from "../core/product.ts";
import type { Detected } from "./detect.ts";
import { workflowsFolder } from "./facts.ts";
import { lineDifference } from "./line-difference.ts";
import { type Digest, isUntouched, seal } from "./seal.ts";
import { settingsFile } from "./settings-file.ts";
import { actionOf, workflowFile } from "./workflow-file.ts";

export interface PlannedFile {
  path: string;
  /** The proposed text. */
  text: string;
  action: "create" | "refresh" | "unchanged" | "keep";
  /** For a kept file: the changes that the proposal would make. */
  difference: string;
  /** For a kept file that Baton cannot read: the problem. */
  problem?: string;
}

/** The workflow that works alone, or the workflow for an App. Next to an App, the first would answer everything twice. */
export interface WorkflowTemplate {
  for: "alone" | "app";
  text: string;
}

export interface PlanOptions {
  detected: Detected;
  workflow: WorkflowTemplate;
  digest: Digest;
}

export function planFiles({ detected, workflow, digest }: PlanOptions): PlannedFile[] {
  const { repository, ref } = actionOf(workflow.text) ?? { repository: product.repository, ref: "main" };
  const schemaUrl = `https://raw.githubusercontent.com/${repository}/${ref}/schemas/baton.schema.json`;
  const checks = detected.checks.filter(({ exact, always }) => exact && always).map(({ name }) => name);
  const plan = (path: string, text: string): PlannedFile =>
    planFile(path, seal(text, digest), detected.texts.get(path) ?? null, digest);
  return [
    plan(workflowPathOf(workflow, detected), workflowFile(workflow.text, detected)),
    plan(detected.settingsPath, settingsFile({ schemaUrl, harness: detected.harness, checks })),
  ];
}

function workflowPathOf(workflow: WorkflowTemplate, { texts, settingsPath }: Detected): string {
  if (workflow.for === "alone") return `${workflowsFolder}baton.yml`;
  const parsed = parseConfig(texts.get(settingsPath) ?? "");
  return workflowsFolder + (parsed.ok ? parsed.settings : defaultSettings).runnerWorkflow;
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
