import { reviewedBefore } from "../begin/review-facts.ts";
import { reviewOverrides } from "../begin/review-override.ts";
import { BatonError } from "../core/errors.ts";
import { writeValue } from "../ports/values.ts";
import { reviewGate, reviewGateId, reviewGateName } from "../review/gate.ts";
import { threadKeyOf } from "../runner/ledger-rows.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import { codeSpan } from "../text/neutralise.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const override = defineCommand({
  name: "override",
  usage: "override <reason>",
  summary: "Pass the check of `gates.review` for this commit although findings stand, with a reason.",
  examples: ["override The cart is never empty here: the caller checks it."],
  appliesTo: ["pull-request"],
  text: "required",
  needsRun: false,
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const { dependencies, repository, settings, pullRequest, actor, command, operationKey, issue } = context;
  const { store, clock, redact } = dependencies;
  const { review: gate } = settings.gates;
  if (pullRequest === null || gate === "off")
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      "`gates.review` is off in `baton.yaml`, so there is no check to override.",
    );
  const isOwn = pullRequest.author.kind === "user" && pullRequest.author.id === actor.id;
  if (isOwn && settings.approvals.self === "deny")
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `@${actor.login} wrote this pull request, and nobody overrides the review of their own work (\`approvals.self: deny\`). Somebody else with write access can.`,
    );
  const last = await reviewedBefore(context);
  const sha = pullRequest.headSha;
  if (last?.sha !== sha)
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `Baton did not review \`${sha.slice(0, 7)}\` yet. Comment \`/baton run review\` first.`,
    );
  const threadKey = threadKeyOf({ thread: { repository, number: issue.number, kind: "pull-request" } });
  const reason = redact(command.text.slice(0, 2_000));
  const decided = { sha, by: actor.login, byId: actor.id, reason, at: clock.now() };
  await writeValue(store, reviewOverrides.at(threadKey), decided);
  const result = reviewGate({ gate, blocking: last.blocking, list: last.list, override: decided });
  const content = {
    ...result,
    summary: redact(result.summary),
    name: reviewGateName,
    status: "completed",
    text: "",
    annotations: [],
    detailsUrl: null,
  };
  await store.write({
    outbox: [
      outboxRow({
        operationKey: `override:${operationKey}`,
        repository,
        kind: "check-run",
        payload: { sha, externalId: reviewGateId(repository.id, sha), content },
        priority: 10,
      }),
    ],
  });
  return `✅ **@${actor.login} passed the check ${codeSpan(reviewGateName)} for \`${sha.slice(0, 7)}\`.** The next commit is judged again.`;
}
