/** GitHub's answer about the App whose credentials are set here, as lines for the terminal. */
import { missingText } from "../app/app-check.ts";
import { readSettings } from "../environment/settings.ts";
import type { CliContext } from "./context.ts";
import { environmentOf } from "./data.ts";

export async function appLinesHere(context: CliContext): Promise<string[]> {
  const { askForApp } = await import("../wire.ts");
  const status = await askForApp(readSettings(environmentOf(context)));
  if (status === null) return ["App: none is set up here (APP_ID, PRIVATE_KEY)."];
  if (status.state === "ok") return [`App: GitHub knows ${status.app}; nothing is missing.`];
  return [`⚠️ App: ${status.message}`, ...missingText(status).map((line) => `  missing at ${line}`)];
}
