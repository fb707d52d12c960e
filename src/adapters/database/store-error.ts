/** The database's refusals as errors of the catalog, and text in a form that the database accepts. */
import { BatonError, isBatonError } from "../../core/errors.ts";

/** PostgreSQL's text accepts every character except NUL. Messages of programs may contain NUL. */
export function storable(text: string): string {
  return text.replaceAll("\u0000", "\ufffd");
}

export function storeError(thrown: unknown): BatonError {
  if (isBatonError(thrown)) return thrown;
  return new BatonError(
    "BATON_DATABASE_UNAVAILABLE",
    `The database refused: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    { cause: thrown },
  );
}

export function rethrow(thrown: unknown): never {
  throw storeError(thrown);
}
