import type { PublishFacts } from "../facts.ts";
import { matchesAny } from "../paths.ts";
import { allow, ask, deny, type Rule } from "../rule.ts";

const shownMax = 10;

export const protectedPaths: Rule<PublishFacts> = {
  name: "protected-paths",
  summary: "A change of `protectedPaths` needs a person, or is refused where `breakpoints.protectedPaths: deny`.",
  judge({ paths, settings }) {
    const touched = protectedAmong(paths, settings.protectedPaths);
    if (touched.length === 0) return allow("No protected path is changed.");
    const shown = touched.slice(0, shownMax).map((path) => `\`${path.replaceAll(/[`\n\r]/g, "?")}\``);
    const more = touched.length > shownMax ? ` and ${touched.length - shownMax} more` : "";
    const what = `The work changes ${touched.length} protected path${touched.length === 1 ? "" : "s"} (\`protectedPaths\`): ${shown.join(", ")}${more}.`;
    return settings.breakpoints.protectedPaths === "ask"
      ? ask(`${what} A person who did not start the run can allow it (\`breakpoints.protectedPaths: ask\`).`)
      : deny(
          `${what} Nobody can allow it here (\`breakpoints.protectedPaths: deny\`); make this part of the change by hand.`,
        );
  },
};

export function protectedAmong(paths: readonly string[], globs: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => matchesAny(path, globs));
}
