/** Texts that are part of the product but not of its code: the workflows to copy, the App's manifest. */
import { readFileSync } from "node:fs";
import { BatonError } from "../core/errors.ts";
import { product } from "../core/product.ts";
import type { WorkflowTemplate } from "./plan.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** The Action of this very release: its tag does not move, and Dependabot and Renovate know how to raise it. */
const pinnedAction = `${product.repository}/action@v${product.version}`;
/** Words for a person who copies the file, which is in its place when Baton writes it. */
const copyIt = /: copy this file to \S+\.yml( and add the secret of your model)?\./;
const pinned = (text: string): string =>
  text
    .replaceAll(product.action, pinnedAction)
    .replace(copyIt, (_, secret?: string) => (secret === undefined ? "." : ". It needs the secret of your model."));

export const workflowAlone = (): WorkflowTemplate => ({
  for: "alone",
  text: pinned(read("action/workflow.yml")),
  wakeUp: workflowWakeUp(),
});
/** The second workflow of Actions mode: it wakes the first. */
const workflowWakeUp = (): string => pinned(read("action/wake-up.yml"));
export const workflowForApp = (): WorkflowTemplate => ({ for: "app", text: pinned(read("action/runner.yml")) });
export const appManifest = (): string => read("app.yml");

/** The same workflow with another Action: `owner/name@ref`, a tag or a commit. */
export function withAction(template: WorkflowTemplate, action: string): WorkflowTemplate {
  const match = /^([\w.-]+\/[\w.-]+)@([\w./-]+)$/.exec(action);
  if (match === null)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `"${action}" is not an Action. Write \`owner/name@ref\`, where ref is a tag or a commit.`,
    );
  const named = (text: string): string => text.replaceAll(pinnedAction, `${match[1]}/action@${match[2]}`);
  const { wakeUp } = template;
  return { ...template, text: named(template.text), ...(wakeUp === undefined ? {} : { wakeUp: named(wakeUp) }) };
}
