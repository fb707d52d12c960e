/** Exit codes: the result that a script gets without reading. `baton --help` lists them. */
import { BatonError, errorCatalogue } from "../core/errors.ts";

export const exitCodes = {
  done: 0,
  no: 1,
  usage: 2,
  absent: 3,
  later: 4,
  denied: 5,
} as const;

export const exitCodesHelp: readonly (readonly [number, string])[] = [
  [exitCodes.done, "done"],
  [exitCodes.no, "the answer is no: problems were found, or it failed for good"],
  [exitCodes.usage, "the command, a file that it names or a setting is not written as it should be"],
  [exitCodes.absent, "what was named does not exist"],
  [exitCodes.later, "not now: another Baton holds the data, or a service does not answer"],
  [exitCodes.denied, "a permission or a key is missing"],
];

export function exitCodeOf(error: BatonError): number {
  const { httpStatus, treatment } = errorCatalogue[error.code];
  if (error.code === "BATON_SETTINGS_INVALID" || error.code === "BATON_INPUT_INVALID") return exitCodes.usage;
  if (error.code === "BATON_DATABASE_LOCKED" || treatment === "retryable") return exitCodes.later;
  if (httpStatus === 404) return exitCodes.absent;
  return httpStatus === 401 || httpStatus === 403 ? exitCodes.denied : exitCodes.no;
}
