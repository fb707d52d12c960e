/**
 * Cursors of pages: the position after a page's last run.
 *
 * CU1 A cursor holds for one caller and one filter. It permits nothing: each page checks what its caller may read.
 */
import { z } from "zod";
import { sha256 } from "../../adapters/system/sha256.ts";
import { canonicalJson } from "../../core/canonical.ts";
import { BatonError } from "../../core/errors.ts";
import { type Json, runIdSchema } from "../../core/vocabulary.ts";
import type { RunPosition } from "../../runner/runs.ts";

const schema = z.tuple([z.number(), runIdSchema, z.string()]);

export function cursorOf({ createdAt, runId }: RunPosition, scope: Json): string {
  return Buffer.from(JSON.stringify([createdAt, runId, digestOf(scope)])).toString("base64url");
}

export function readCursor(cursor: string, scope: Json): RunPosition {
  const [createdAt, runId, digest] = parsed(cursor) ?? [];
  if (createdAt === undefined || runId === undefined || digest !== digestOf(scope))
    throw new BatonError(
      "BATON_INPUT_INVALID",
      "`cursor` is not one of this list: it belongs to other filters, another list or another caller. Begin again without it.",
    );
  return { createdAt, runId };
}

function parsed(cursor: string): z.infer<typeof schema> | null {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"))).data ?? null;
  } catch {
    return null;
  }
}

function digestOf(scope: Json): string {
  return sha256(canonicalJson(scope)).slice(0, 16);
}
