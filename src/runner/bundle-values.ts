import { z } from "zod";
import { runValuePrefix } from "../core/vocabulary.ts";
import { defineValues } from "../ports/values.ts";

/**
 * VA3: commits in transit, as git bundles in base64. A run keeps its own bundles and the bundles that a runner posted.
 */
export const bundleValues = defineValues(runValuePrefix, z.string(), "/bundle");
