/** The texts that are part of the product and not of its code: the workflows to copy, the App's manifest. */
import { readFileSync } from "node:fs";
import type { WorkflowTemplate } from "./plan.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

export const workflowAlone = (): WorkflowTemplate => ({ for: "alone", text: read("action/workflow.yml") });
export const workflowForApp = (): WorkflowTemplate => ({ for: "app", text: read("action/runner.yml") });
export const appManifest = (): string => read("app.yml");
