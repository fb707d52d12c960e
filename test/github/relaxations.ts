/** Exceptions from the comparison with GitHub's description, with reasons. Nothing else is loosened. */
import type { Schema } from "../../tools/github-description.ts";

/** Formats that GitHub's own answers do not keep. */
export const looseFormats: { format: string; reason: string }[] = [
  { format: "email", reason: "A bot's own address, `1+name[bot]@users.noreply.github.com`, is none by the standard." },
  { format: "repo.nwo", reason: "GitHub's own word for `owner/name`; no standard defines it." },
];

/** Properties that GitHub sends but describes only in other places. */
export const alsoSent: {
  property: string;
  within: "answer" | "refusal" | "webhook";
  schema: Schema;
  reason: string;
}[] = [
  {
    property: "status",
    within: "refusal",
    schema: { type: "string", pattern: "^[45]\\d\\d$" },
    reason: "Every refusal repeats its status; only the description's basic error says so.",
  },
  {
    property: "user_view_type",
    within: "webhook",
    schema: { enum: ["public"] },
    reason: "Described of users (`simple-user`), forgotten where a payload spells a user out.",
  },
  {
    property: "client_id",
    within: "webhook",
    schema: { type: "string" },
    reason: "Described of Apps (`integration`), forgotten where a payload spells out the App that opened a thread.",
  },
  {
    property: "has_pull_requests",
    within: "webhook",
    schema: { type: "boolean" },
    reason: "Newer than the package of webhooks; the REST description has it of every repository.",
  },
  {
    property: "pull_request_creation_policy",
    within: "webhook",
    schema: { enum: ["all", "collaborators_only"] },
    reason: "Newer than the package of webhooks; the REST description has it of every repository.",
  },
];

/** Properties that may be null, although the description omits that. */
export const alsoNull: { definition: string; at: string[]; reason: string }[] = [
  {
    definition: "pull-request",
    at: ["head", "repo"],
    reason: "A pull request outlives its deleted fork; the payload's schema and `pull-request-simple` say so.",
  },
];

/** Answers with a contradictory description. A definition of the same object replaces it. */
export const answeredAs: { operation: string; status: number; schema: Schema; reason: string }[] = [
  {
    operation: "GET /app/installations",
    status: 200,
    schema: { type: "array", items: { $ref: "#/$defs/installation" } },
    reason:
      "Spelt out with an account that is a user and an enterprise at once (`allOf`); one installation has either.",
  },
];

const basicError: Schema = { $ref: "#/$defs/basic-error" };

/** Answers that any operation may give, but that the description lists only for some. */
export const answersAnywhere: { status: number; schema: Schema | null; reason: string }[] = [
  { status: 304, schema: null, reason: "Every read answers a matching If-None-Match so." },
  { status: 400, schema: basicError, reason: "A body that is no JSON is refused before any operation is chosen." },
  { status: 401, schema: basicError, reason: "A bad token or JWT is refused before any operation is chosen." },
  { status: 403, schema: basicError, reason: "A missing permission or a secondary limit refuses any operation." },
  { status: 404, schema: basicError, reason: "What one may not see is not there, for any operation." },
  { status: 429, schema: basicError, reason: "Limits refuse any operation." },
  {
    status: 422,
    schema: { anyOf: [{ $ref: "#/$defs/validation-error" }, { $ref: "#/$defs/validation-error-simple" }, basicError] },
    reason: "Every write may find its body wrong; the description forgets it for check runs and others.",
  },
];

/** Paths that GitHub serves but does not describe, mapped to described ones with the same answer. */
export const describedElsewhere: { from: RegExp; to: string; reason: string }[] = [
  {
    from: /^(\w+) \/repositories\/\d+(?=\/|$)/,
    to: "$1 /repos/by/id",
    reason: "Where GitHub redirects to when a repository was renamed: the same answers by id.",
  },
  {
    from: /^(\w+ \/repos\/[^/]+\/[^/]+\/contents)\/?$/,
    to: "$1/.",
    reason: "The root's listing: an empty path, which a path template cannot say.",
  },
  {
    from: /^(GET \/repos\/[^/]+\/[^/]+)\/statuses\/([^/]+)$/,
    to: "$1/commits/$2/statuses",
    reason: "The older path of the same list.",
  },
];

/** Events whose description uses another name. */
export const webhookNames: Record<string, string> = { repository_dispatch: "repository-dispatch-sample.collected" };
