/** Texts that are part of the product but not of its code: the workflows to copy, the App's manifest. */
import { readFileSync } from "node:fs";
import { BatonError } from "../core/errors.ts";
import { product } from "../core/product.ts";
import type { WorkflowTemplate } from "./plan.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

export const workflowAlone = (): WorkflowTemplate => ({ for: "alone", text: read("action/workflow.yml") });
export const workflowForApp = (): WorkflowTemplate => ({ for: "app", text: read("action/runner.yml") });
export const appManifest = (): string => read("app.yml");

/** The same workflow with another Action: `owner/name@ref`, a tag or a commit. */
export function withAction(template: WorkflowTemplate, action: string): WorkflowTemplate {
  const match = /^([\w.-]+\/[\w.-]+)@([\w./-]+)$/.exec(action);
  if (match === null)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `"${action}" is not an Action. Write \`owner/name@ref\`, where ref is a tag or a commit.`,
    );
  return { ...template, text: template.text.replaceAll(product.action, `${match[1]}/action@${match[2]}`) };
}
