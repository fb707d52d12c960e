/**
 * The rules of `npm run lint:prose`: one line each. A rule sees one sentence, without its code.
 *
 * Owns: words with a better replacement, sentences with a clause as the subject, length. Does not own: finding sentences.
 * PR1 An error fails the check. A warning only shows, because the word is right in some senses.
 */
export type ProseLevel = "error" | "warning";

/** A guide explains, so its sentences may have five words more. */
export type ProseKind = "message" | "guide";

export interface ProseRule {
  id: string;
  level: ProseLevel;
  pattern: RegExp;
  advice: string;
}

/** Words to replace with words of GitHub's documentation. The advice of a rule names the replacement. */
const proseRules: readonly ProseRule[] = [
  { id: "anew", level: "error", pattern: /\banew\b/i, advice: "again" },
  { id: "once-more", level: "error", pattern: /\bonce more\b(?! than\b)/i, advice: "again" },
  { id: "for-ever", level: "error", pattern: /\bfor ever\b/i, advice: "forever, permanently" },
  {
    id: "goes-before",
    level: "error",
    pattern: /\b(?:goes?|stands?|stood) (?:before|above)\b/i,
    advice: "takes precedence over",
  },
  { id: "else", level: "error", pattern: /^Else\b|[;:] else\b/, advice: "Otherwise" },
  { id: "for-long", level: "error", pattern: /\bfor long(?=[.,;)]|$)/i, advice: "long ago" },
  { id: "as-before", level: "error", pattern: /\bas before\b(?! (?:the|a|an)\b)|\bas ever\b/i, advice: "unchanged" },
  { id: "means-nothing", level: "error", pattern: /\bmeans? nothing to\b/i, advice: "X ignores it" },
  { id: "mend", level: "error", pattern: /\bmend(?:s|ed|ing)?\b/i, advice: "fix" },
  {
    id: "is-no",
    level: "error",
    pattern:
      /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|fewer\b|later\b|earlier\b|one\b|matter\b|different\b)[a-z]/i,
    advice: "is not a",
  },
  {
    id: "whoever",
    level: "error",
    pattern: /\b(?:whoever|whosoever|whomever)\b/i,
    advice: "anyone who, the person who",
  },
  {
    id: "clause-subject",
    level: "error",
    pattern: /^(?:Of|What|Who|Whom|Whatever|Whichever|Whose|That which) (?!to\b)(?!.*\?$)(?:\S+ ){3}/,
    advice: "Begin with the subject: “Baton …”, “The run …”, “Anyone who …”.",
  },
  {
    id: "inner-clause-subject",
    level: "error",
    pattern: /; (?:what|who) (?!.*\?$)(?:\S+ ){3}/,
    advice: "Begin with the subject, in a sentence of its own.",
  },
  { id: "beside", level: "warning", pattern: /\bbeside\b/i, advice: "in addition to, next to" },
  { id: "takes", level: "warning", pattern: /\b(?:takes?|took) (?:no|a|an|the|only)\b/i, advice: "accepts" },
  { id: "leave", level: "warning", pattern: /\b(?:by|with|without) leave\b|\bleave of\b/i, advice: "permission" },
  { id: "told", level: "warning", pattern: /\b(?:is|are|was|were) told\b/i, advice: "reported, shown" },
  { id: "looked-at", level: "warning", pattern: /\blook(?:s|ed)? at\b/i, advice: "checked, read" },
  { id: "filler", level: "error", pattern: /\b(?:simply|please note)\b/i, advice: "Leave it out." },
];

/** The most words of a sentence. */
const wordsMax: Readonly<Record<ProseKind, number>> = { message: 20, guide: 25 };

export interface ProseProblem {
  rule: string;
  level: ProseLevel;
  advice: string;
}

/** `sentence` has “…” where code, an address or a value stood. */
export function problemsOf(sentence: string, words: number, kind: ProseKind): ProseProblem[] {
  const found: ProseProblem[] = proseRules
    .filter(({ pattern }) => pattern.test(sentence))
    .map(({ id, level, advice }) => ({ rule: id, level, advice }));
  if (words > wordsMax[kind])
    found.push({ rule: "length", level: "warning", advice: `${words} words; at most ${wordsMax[kind]}` });
  return found;
}
