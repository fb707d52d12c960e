import { z } from "zod";
import { runValuePrefix } from "../core/vocabulary.ts";
import { defineValues } from "../ports/values.ts";

/** VA3: commits on their way, as git bundles in base64: below a run those that are kept, and those that a runner posted. */
export const bundleValues = defineValues(runValuePrefix, z.string(), "/bundle");
