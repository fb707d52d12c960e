/** `npm run lint:prose [-- --warnings] [path…]`: exits 1 when a sentence breaks a rule of `prose/rules.ts`. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readFlags } from "../src/core/flags.ts";
import { type ProseProblem, problemsOf } from "./prose/rules.ts";
import { type Sentence, sentencesOf } from "./prose/sentences.ts";
import { commentsOf, proseOf } from "./prose/sources.ts";

export interface ProseFinding extends ProseProblem {
  path: string;
  line: number;
  sentence: string;
}

export function proseFindings(root: string, paths: readonly string[] = []): ProseFinding[] {
  return [...proseOf(root), ...commentsOf(root)]
    .filter(({ path }) => paths.length === 0 || paths.some((one) => path.startsWith(one)))
    .flatMap(({ path, line, text, kind }) =>
      sentencesOf(text).flatMap((one: Sentence) =>
        problemsOf(one.text, one.words, kind).map((problem) => ({
          ...problem,
          path,
          line: line + one.line - 1,
          sentence: one.text,
        })),
      ),
    );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const words = process.argv.slice(2);
  const asked = readFlags(
    words.filter((word) => word.startsWith("-")),
    { warnings: {} },
  );
  if (!asked.ok) {
    console.error(asked.wrong);
    process.exit(2);
  }
  const findings = proseFindings(
    join(import.meta.dirname, ".."),
    words.filter((word) => !word.startsWith("-")),
  );
  const errors = findings.filter(({ level }) => level === "error");
  for (const { path, line, rule, level, advice, sentence } of words.includes("--warnings") ? findings : errors)
    console.log(`${path}:${line} ${level} ${rule}: ${sentence}\n    ${advice}`);
  console.log(`${errors.length} errors, ${findings.length - errors.length} warnings`);
  process.exitCode = errors.length === 0 ? 0 : 1;
}
