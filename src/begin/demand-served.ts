/** Whether a provider here serves a model that a person named. Nobody gets another model in its place unasked. */
import type { Settings } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import { isTier, type OwnTiers, serves } from "../routing/tier.ts";

export function demandServed(
  model: string,
  /** null: the harness of `baton.yaml`. */
  harness: string | null,
  known: readonly string[],
  settings: Pick<Settings, "harness" | "tiers">,
): void {
  const { models, default: first, fallback } = settings.harness;
  if (isTier(model)) return;
  const refuse = (message: string): never => {
    throw new BatonError("BATON_COMMAND_INVALID", message);
  };
  if (models.length > 0 && !models.includes(model))
    refuse(`The model \`${model}\` is not allowed here. Allowed (\`harness.models\`): ${models.join(", ")}.`);
  const asked = harness === null ? [first, ...fallback] : [harness];
  const does = (name: string): boolean => serves(name, model, settings.tiers as OwnTiers);
  if (asked.some(does)) return;
  const others = known.filter((name) => does(name) && name !== "command");
  const who = asked.length === 1 ? `\`${asked[0]}\` does not serve` : `None of ${asked.join(", ")} serves`;
  refuse(
    `${who} the model \`${model}\`.${others.length === 0 ? "" : ` These do, or may: ${others.map((name) => `\`--harness ${name}\``).join(", ")}.`}`,
  );
}
