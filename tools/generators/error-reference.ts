/** docs/reference/errors.md: the catalogue of errors, in its order. */
import { type ErrorTreatment, errorCatalogue } from "../../src/core/errors.ts";
import type { GeneratedFile } from "../generate.ts";
import { generatedFrom, markdownTable } from "./table.ts";

const treatments: Record<ErrorTreatment, string> = {
  retryable: "tried again",
  terminal: "not tried again",
  cancelled: "stopped",
};

export function errorReference(): GeneratedFile {
  const text = [
    "# Reference: errors",
    "",
    generatedFrom("src/core/errors.ts"),
    "",
    "Every error has a code, a message with the offending value, and the remedy below it. *Tried again* means by Baton itself, with growing pauses, as often as the step allows ([processes](../guides/processes.md)); *not tried again* means that a person must act first. Where an error is an answer over HTTP it has the status of the last column.",
    "",
    ...markdownTable(
      ["Code", "When", "What to do", "Baton", "HTTP"],
      Object.entries(errorCatalogue).map(([code, { treatment, when, remedy, httpStatus }]) => [
        `\`${code}\``,
        when,
        remedy,
        treatments[treatment],
        `${httpStatus}`,
      ]),
    ),
  ].join("\n");
  return { path: "docs/reference/errors.md", text };
}
