/** What the database refuses, as an error of the catalogue; and text as it takes it. */
import { BatonError, isBatonError } from "../../core/errors.ts";

/** PostgreSQL's text takes every character but NUL, which messages of programs may hold. */
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
