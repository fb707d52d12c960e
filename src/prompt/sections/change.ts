import { limits } from "../../core/limits.ts";
import { verbatim } from "../quote.ts";
import type { PromptSection } from "../section.ts";

const filesMax = 100;

/** Measured by git. Most harnesses have no shell in read-only steps, so Baton shows the change to a judging agent. */
export const change: PromptSection = {
  name: "change",
  stratum: "turn",
  summary: "What is to be judged: files and diff, as git measured them. For steps that review or verify a change.",
  write: ({ change: made }) => {
    if (made === null) return null;
    const { files, diff, truncated } = made;
    if (files.length === 0) return { heading: "The change", body: "No file differs." };
    const lines = files
      .slice(0, filesMax)
      .map(({ path, added, removed }) => `${path} (+${added ?? "?"} -${removed ?? "?"})`);
    const more = files.length - lines.length;
    const all = `Its files${more > 0 ? ` (the first ${filesMax} of ${files.length})` : ""}:\n${verbatim(lines.join("\n"), 12_000)}`;
    const rest = "Read the files themselves for what is not here.";
    const shown =
      diff === ""
        ? `Its diff is too long to be shown. ${rest}`
        : `Its diff${truncated ? `, only the beginning of it. ${rest}` : ""}:\n${verbatim(diff, limits.promptUntrustedCharactersMax)}`;
    return { heading: "The change", body: `${all}\n\n${shown}` };
  },
};
