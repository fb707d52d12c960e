/** GitHub's own description as types. A builder that lacks a required field does not compile. */
import type { components } from "@octokit/openapi-types";

export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];
