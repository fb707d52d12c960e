/**
 * Jobs that work only on a pull request's own event. Started by hand, they fail or compare nothing, and no commit can change
 * that. So Baton does not start their workflow.
 */
import { type Fields, fieldsOf, shown } from "./workflow-yaml.ts";

/** Each by the start of its name, with the inputs that replace the event. */
const actions: readonly { name: string; unless: readonly string[] }[] = [
  // Source: https://github.com/actions/dependency-review-action#configuration-options
  { name: "actions/dependency-review-action@", unless: ["base-ref", "head-ref"] },
  // Source: https://github.com/actions/labeler#inputs
  { name: "actions/labeler@", unless: ["pr-number"] },
  // Source: https://github.com/amannn/action-semantic-pull-request#event-triggers
  { name: "amannn/action-semantic-pull-request@", unless: [] },
];

/** Empty when there is no pull request: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts */
const field = /\bgithub\s*\.\s*(?:event\s*\.\s*(?:pull_request(?:\s*\.\s*\w+)*|number)|base_ref|head_ref)\b/i;
const expression = /\$\{\{([\s\S]*?)\}\}/g;
/** With one of these, a start by hand leaves the job or step out, or has another value. */
const handled = /\|\||&&|\bgithub\s*\.\s*event_name\b/i;

/** Sentences, each with one reason. Empty: nothing was found. */
export function pullNeededBy(file: Fields): string[] {
  return Object.entries(fieldsOf(file["jobs"]) ?? {}).flatMap(([id, value]) => {
    const job = fieldsOf(value) ?? {};
    const { steps } = job;
    if (isGuarded(job["if"]) || !Array.isArray(steps)) return [];
    const reason = [...steps.map((step: unknown) => ofStep(fieldsOf(step) ?? {})), fieldIn(job["env"])].find(
      (one) => one !== null,
    );
    return reason == null ? [] : [`Job ${shown(id)} needs a pull request: ${shown(reason)}.`];
  });
}

function ofStep({ if: condition, uses, with: inputs, env, run }: Fields): string | null {
  if (isGuarded(condition)) return null;
  const given = fieldsOf(inputs) ?? {};
  const known = typeof uses === "string" ? actions.find(({ name }) => uses.startsWith(name)) : undefined;
  const isReplaced = known !== undefined && known.unless.length > 0 && known.unless.every((name) => name in given);
  return known !== undefined && !isReplaced ? (uses as string) : fieldIn([given, env, run]);
}

/** Any condition on a field or on the event: the step may leave itself out. */
function isGuarded(condition: unknown): boolean {
  return typeof condition === "string" && (field.test(condition) || /event_name/i.test(condition));
}

function fieldIn(value: unknown): string | null {
  const text = JSON.stringify(value ?? null);
  for (const [, inside = ""] of text.matchAll(expression)) {
    const found = handled.test(inside) ? null : field.exec(inside);
    if (found !== null) return found[0].replaceAll(/\s/g, "");
  }
  return null;
}
