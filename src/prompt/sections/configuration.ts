import type { PromptSection } from "../section.ts";

const globsMax = 40;

/** What of `baton.yaml` bears on the work: an agent that knows it wastes no attempt on what is refused. */
export const configuration: PromptSection = {
  name: "configuration",
  stratum: "runtime",
  summary: "Protected paths and required checks of `baton.yaml`.",
  write: ({ access, settings: { protectedPaths, gates } }) => {
    const checks = gates.required.map(({ name }) => `\`${name.replaceAll("`", "")}\``);
    const globs = protectedPaths.slice(0, globsMax).map((glob) => `\`${glob.replaceAll("`", "")}\``);
    const more = protectedPaths.length - globs.length;
    return {
      heading: "Rules of this repository",
      body: [
        ...(access === "write" && globs.length > 0
          ? [`A change of these needs a person: ${globs.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`]
          : []),
        ...(checks.length > 0 ? [`Checks that must be green: ${checks.join(", ")}.`] : []),
      ].join("\n"),
    };
  },
};
