/**
 * Which files are written: a new one is created, one that nobody touched is refreshed, one of people is left as it is and the
 * difference is shown.
 */
import { effectiveDifference } from "../config/effective.ts";
import { parseConfig } from "../config/parse.ts";
import type { Detected } from "./detect.ts";
import { settingsPath, workflowPath } from "./facts.ts";
import { lineDifference } from "./line-difference.ts";
import { type Digest, isUntouched, seal } from "./seal.ts";
import { settingsFile } from "./settings-file.ts";
import { actionOf, workflowFile } from "./workflow-file.ts";

export interface PlannedFile {
  path: string;
  /** As it is proposed. */
  text: string;
  action: "create" | "refresh" | "unchanged" | "keep";
  /** Where it is kept: what the proposal would change. */
  difference: string;
}

export interface PlanOptions {
  detected: Detected;
  /** `action/workflow.yml`. */
  template: string;
  mode: "actions" | "app";
  digest: Digest;
}

export function planFiles({ detected, template, mode, digest }: PlanOptions): PlannedFile[] {
  const action = actionOf(template);
  const schemaUrl = `https://raw.githubusercontent.com/${action?.repository ?? "baton/baton"}/${action?.ref ?? "main"}/schemas/baton.schema.json`;
  const checks = detected.checks.filter(({ exact }) => exact).map(({ name }) => name);
  const settings = settingsFile({ schemaUrl, harness: detected.harness, checks });
  return [
    planFile(
      workflowPath,
      seal(workflowFile(template, detected, mode), digest),
      detected.workflow?.text ?? null,
      digest,
    ),
    planFile(detected.settings?.path ?? settingsPath, seal(settings, digest), detected.settings?.text ?? null, digest),
  ];
}

export function planFile(path: string, text: string, present: string | null, digest: Digest): PlannedFile {
  if (present === null) return { path, text, action: "create", difference: "" };
  const difference = lineDifference(present, text);
  if (difference === "") return { path, text, action: "unchanged", difference };
  return isUntouched(present, digest)
    ? { path, text, action: "refresh", difference }
    : { path, text, action: "keep", difference: inEffect(path, present, text) ?? difference };
}

/** Of configurations what they do is told, not how they are written; null for other files and broken ones. */
function inEffect(path: string, present: string, proposed: string): string | null {
  if (path.startsWith(".github/workflows/")) return null;
  const [old, now] = [parseConfig(present), parseConfig(proposed)];
  if (!old.ok || !now.ok) return null;
  const changes = effectiveDifference(old.settings, now.settings);
  return changes.map(({ path: key, from, to }) => `-${key}: ${from}\n+${key}: ${to}`).join("\n");
}
