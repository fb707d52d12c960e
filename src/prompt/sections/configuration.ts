import { limits } from "../../core/limits.ts";
import { inline } from "../quote.ts";
import type { PromptSection } from "../section.ts";

/** The settings of `baton.yaml` that affect the work. An agent that knows them wastes no attempt on refused work. */
export const configuration: PromptSection = {
  name: "configuration",
  stratum: "runtime",
  summary: "Protected paths and required checks of `baton.yaml`.",
  write: ({ access, settings: { protectedPaths, gates } }) => {
    const paths = access === "write" ? listed(protectedPaths) : "";
    const checks = listed(gates.required.map(({ name }) => name));
    return {
      heading: "Rules of this repository",
      body: [
        ...(paths === "" ? [] : [`A change of these needs a person: ${paths}.`]),
        ...(checks === "" ? [] : [`Checks that must be green: ${checks}.`]),
      ].join("\n"),
    };
  },
};

/** As many as fit, then the number of the others. */
function listed(names: readonly string[]): string {
  const shown: string[] = [];
  let left: number = limits.promptNamesCharactersMax;
  for (const name of names) {
    const one = `\`${inline(name, 400)}\``;
    left -= one.length + 2;
    if (left < 0) break;
    shown.push(one);
  }
  const more = names.length - shown.length;
  return `${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}
