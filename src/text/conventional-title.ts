/**
 * A pull request's title where the history has conventional commits: its squash commit then reads like the others, and tools
 * that read types still work.
 *
 * Source: https://www.conventionalcommits.org/en/v1.0.0/
 * CT1 A title that is conventional stays as it is. So does every title where the history is not.
 * CT2 The same title and history give the same result.
 */

const known = ["feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert"] as const;
type Type = (typeof known)[number];

/** Fewer subjects say nothing about a habit. */
const subjectsMin = 5;
const shareMin = 0.7;

const form = /^([a-z]{2,20})(?:\([^()\r\n]{1,60}\))?!?: (\S.*)$/i;
/** Git and GitHub write these, whatever the habit. */
const written = /^(?:Merge |Revert "|Initial commit$|fixup! |squash! )/;

/** `subjects`: first lines of the base branch's newest commits. */
export function conventionalTitle(title: string, subjects: readonly string[]): string {
  const habit = habitOf(subjects);
  if (habit === null) return title;
  const given = form.exec(title)?.[1] ?? "";
  if (habit.types.has(given)) return title;
  if (habit.types.has(given.toLowerCase())) return title.replace(given, given.toLowerCase());
  const type = typeOf(title);
  // `fix: fix …` says it twice.
  const rest = type === "fix" ? title.replace(/^fix(?:es)?\s+(?=\S)/i, "") : title;
  return `${type}: ${(habit.lowers ? lowered(rest) : rest).replace(/\.$/, "")}`;
}

interface Habit {
  types: ReadonlySet<string>;
  /** Descriptions begin in lower case. */
  lowers: boolean;
}

/** null: the history is not conventional. */
function habitOf(subjects: readonly string[]): Habit | null {
  const own = subjects.filter((subject) => !written.test(subject));
  const found = own.flatMap((subject) => {
    const [, type, description] = form.exec(subject) ?? [];
    return type === undefined || description === undefined ? [] : [{ type, description }];
  });
  // Otherwise `parser: …` in each subject would look like a type.
  const standard = found.filter(({ type }) => known.some((one) => one === type));
  if (own.length < subjectsMin || standard.length < own.length * shareMin) return null;
  const lower = standard.filter(({ description }) => /^[^A-Z]/.test(description)).length;
  return { types: new Set([...known, ...found.map(({ type }) => type)]), lowers: lower * 2 >= standard.length };
}

/** By the first word that says it. A fix is the smallest claim about a change of behavior. */
const signs: readonly (readonly [Type, RegExp])[] = [
  ["revert", /^reverts?\b/i],
  ["docs", /^(?:document|describe|explain|clarify)s?\b|\b(?:docs|documentation|readme|changelog|typos?)\b/i],
  ["test", /^(?:test|cover)s?\b|^adds? (?:(?:a|an|more|missing) )?tests?\b/i],
  ["ci", /\b(?:workflow|ci|github actions|pipeline)\b/i],
  ["build", /^(?:bump|upgrade|downgrade|pin)s?\b|\b(?:dependenc(?:y|ies)|lock ?file)\b/i],
  ["perf", /^(?:speeds? up|optimi[sz]es?)\b|\b(?:faster|performance|slow)\b/i],
  ["fix", /^(?:fix(?:es)?|correct|repair|resolve|prevent|avoid|handle|stop|guard|do not|don't|never)s?\b/i],
  ["refactor", /^(?:refactor|rename|move|extract|simplify|split|inline|restructure|reorganize|clean)(?:s|ies)?\b/i],
  ["style", /^(?:format|reformat|lint)s?\b/i],
  ["feat", /^(?:add|allow|support|implement|introduce|create|show|offer|enable|accept|let|expose|provide|make)s?\b/i],
  ["fix", /\b(?:bug|wrong|wrongly|broken|crash(?:es)?|fail(?:s|ure)?|errors?|incorrect|missing|leaks?|lost|loses)\b/i],
];

function typeOf(sentence: string): Type {
  return signs.find(([, sign]) => sign.test(sentence))?.[0] ?? "chore";
}

/** `OAuth` and `API` keep their capitals. */
function lowered(sentence: string): string {
  return /^[A-Z][a-z]*(?:[\s,:;.]|$)/.test(sentence)
    ? `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
    : sentence;
}
