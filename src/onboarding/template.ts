/** The texts that are part of the product and not of its code: the workflow to copy, the App's manifest. */
import { readFileSync } from "node:fs";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

export const workflowTemplate = (): string => read("action/workflow.yml");
export const appManifest = (): string => read("app.yml");
