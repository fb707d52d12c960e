/**
 * The workflow of a repository: the template of the Action with this repository's names in it.
 *
 * WF1 The text is the template's own (`action/workflow.yml`, `action/runner.yml`), with its comments. Baton only inserts
 *     names. It ignores a place that a template does not have.
 */
import { type Document, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { parseConfig } from "../config/parse.ts";
import type { Settings } from "../config/schema.ts";
import type { TriggerName } from "../trigger/event.ts";
import { workflowEvents } from "../trigger/workflow-events.ts";
import type { Detected } from "./detect.ts";
import { type AgentPackage, agentPackage, installStep } from "./install.ts";

export interface Permission {
  name: string;
  access: string;
  reason: string;
}

/** `startable`: workflows that get `workflow_dispatch` with this one. */
export function workflowFile(template: string, detected: Detected, startable: readonly string[] = []): string {
  const document = parseDocument(template);
  const ci = detected.workflows.filter(({ isCi }) => isCi);
  const names = document.getIn(["on", "workflow_run", "workflows"]);
  if (ci.length === 0) document.deleteIn(["on", "workflow_run"]);
  else if (isSeq(names)) names.items = [...new Set(ci.map(({ name }) => name))].map((name) => quoted(document, name));
  const pushed = document.getIn(["on", "push", "branches"]);
  if (isSeq(pushed)) pushed.items = [document.createNode(detected.defaultBranch)];
  for (const { on } of rulesOf(detected)) putEvent(document, on, detected.defaultBranch);
  const step = stepOf(document);
  if (step !== null) {
    const files = ci
      .filter(({ dispatchable, path }) => dispatchable || startable.includes(path))
      .map(({ path }) => path.split("/").at(-1));
    if (step.hasIn(["with", "dispatch-workflows"])) {
      if (files.length > 0) setValue(step.getIn(["with", "dispatch-workflows"], true), files.join(" "));
      else step.deleteIn(["with", "dispatch-workflows"]);
      const rest = step.get("with");
      if (isMap(rest) && rest.items.length === 0) step.delete("with");
    }
    const env = step.get("env");
    if (isMap(env)) putKey(document, env, detected.key);
    putInstall(document, agentPackage(detected.harness));
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Rules of the repository. */
function rulesOf({ texts, settingsPath }: Detected): Settings["triggers"] {
  const parsed = parseConfig(texts.get(settingsPath) ?? "");
  return parsed.ok ? parsed.settings.triggers : [];
}

/**
 * Adds the event that a rule needs to start the workflow. The runner workflow of an App stays unchanged, because only a
 * dispatch starts it.
 */
function putEvent(document: Document, on: TriggerName, defaultBranch: string): void {
  const needed = workflowEvents[on];
  if (needed === null || !document.hasIn(["on", "issue_comment"])) return;
  const { event, type } = needed;
  if (event === "repository_dispatch") document.deleteIn(["on", event]);
  const types = document.getIn(["on", event, "types"]);
  if (isSeq(types)) {
    if (type !== null && !types.items.some((one) => nameOf(one) === type)) types.add(document.createNode(type));
  } else if ((event === "push" || !document.hasIn(["on", event])) && event !== "workflow_run") {
    // Names of workflows belong to the project. Without names, the event has no workflow to follow.
    const value = event === "push" ? { branches: [defaultBranch] } : type === null ? null : { types: [type] };
    document.setIn(["on", event], document.createNode(value, { flow: true }));
  }
  const condition = document.getIn(["jobs", "read", "if"], true);
  if (event === "issues" && isScalar(condition))
    condition.value = String(condition.value).replace(commandInIssue, "github.event.action != 'edited'");
}

/** The template's condition for an issue with a command. */
const commandInIssue = "github.event.action != 'edited' && contains(github.event.issue.body, '/baton')";

/** The Action as the template names it: `owner/name/action@<tag or commit>`. */
export function actionOf(template: string): { repository: string; ref: string } | null {
  const uses = stepOf(parseDocument(template))?.get("uses");
  const match = /^([\w.-]+\/[\w.-]+)\/[^@]*@(\S+)$/.exec(typeof uses === "string" ? uses : "");
  return match === null ? null : { repository: match[1] as string, ref: match[2] as string };
}

/**
 * The permissions that a file requests, each with the reason from its comment. The file is the workflow, or the App's
 * manifest.
 */
export function permissionsOf(text: string): Permission[] {
  const document = parseDocument(text);
  const map = mapAt(document, ["permissions"]) ?? mapAt(document, ["default_permissions"]);
  return (map?.items ?? []).map(({ key, value }: Pair) => ({
    name: nameOf(key),
    access: isScalar(value) ? String(value.value) : "",
    reason: (isScalar(value) ? (value.comment ?? "") : "").trim(),
  }));
}

/** The step that calls the Action to work, not the step that only reads the event. */
function stepOf(document: Document): YAMLMap | null {
  return (
    stepsOf(document)
      .flatMap(({ items }) => items.filter(isMap))
      .find(isAction) ?? null
  );
}

function isAction(step: YAMLMap): boolean {
  return /\/action@/.test(String(step.get("uses"))) && step.getIn(["with", "job"]) !== "read";
}

function stepsOf(document: Document): YAMLSeq[] {
  return (mapAt(document, ["jobs"])?.items ?? [])
    .map(({ value: job }) => (isMap(job) ? job.get("steps") : null))
    .filter((steps) => isSeq(steps));
}

/** A step before the Action installs the agent: the template's own step, or a new one. */
function putInstall(document: Document, agent: AgentPackage | null): void {
  for (const { items } of stepsOf(document)) {
    const at = items.findIndex((step) => isMap(step) && isAction(step));
    if (at < 0) continue;
    const isInstall = (step: unknown): boolean => isMap(step) && /\bnpm (?:i|install) /.test(String(step.get("run")));
    const there = items.findIndex(isInstall);
    if (agent === null) {
      if (there >= 0) items.splice(there, 1);
      continue;
    }
    const step = parseDocument(installStep(agent)).contents;
    if (there >= 0 && isMap(step)) {
      // A condition of the template's step stays.
      const condition = (items[there] as YAMLMap).get("if", true);
      if (condition !== undefined)
        step.items.unshift(document.createPair("if", condition) as (typeof step.items)[number]);
      items[there] = step;
    } else items.splice(at, 0, step);
  }
}

/** Sets the model's secret: the given key replaces all keys of the template. */
function putKey(document: Document, env: YAMLMap, key: string): void {
  const secrets = env.items.filter(({ value }) => isScalar(value) && /^\$\{\{\s*secrets\./.test(String(value.value)));
  if (key === "" || secrets.length === 0) return;
  env.items = env.items.filter((item) => !secrets.includes(item));
  env.items.unshift(document.createPair(key, `\${{ secrets.${key} }}`));
}

function mapAt(document: Document, path: readonly string[]): YAMLMap | null {
  const found = document.getIn(path);
  return isMap(found) ? found : null;
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function setValue(node: unknown, value: string): void {
  if (isScalar(node)) node.value = value;
}

function quoted(document: Document, text: string): unknown {
  const node = document.createNode(text);
  if (isScalar(node)) node.type = "QUOTE_DOUBLE";
  return node;
}
