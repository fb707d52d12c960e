/**
 * Words of a commit message that take effect in git, GitHub, CI services or other tools, and how to defuse them.
 *
 * CE1 Baton adds nothing invisible: a defused word differs by a blank, a bracket or a word that everybody sees.
 */

const dash = "[-_\\u2010-\\u2015\\u2212\\ufe58\\ufe63\\uff0d]";
const dashOrBlank = "[-_\\s\\u2010-\\u2015\\u2212\\ufe58\\ufe63\\uff0d]{0,3}";
/** Git accepts a colon. Other tools accept more signs, and people read look-alikes as a colon. */
const separator = "\\s{0,20}[:=#：﹕︰꞉∶ː]";
const deed =
  "(?:signed[-_\\s\\u2010-\\u2015]{0,3}off|co[-_\\s\\u2010-\\u2015]{0,3}(?:authored|developed|committed|written)|authored|committed|reviewed|acked|acknowledged|approved|tested|reported|helped|suggested|mentored|verified|requested|sponsored|reviewed[-_\\s]{1,3}and[-_\\s]{1,3}tested)";
/** `Signed-off-by`, `co authored by`, `SIGNED_OFF_BY`, also with a word before or after the deed. */
const personKey = `(?:[\\p{L}]{1,20}${dash}){0,2}${deed}${dashOrBlank}by`;
/** Signs before a key that do not hide the key from a reader or a tool. */
const lead = "^[^\\p{L}\\p{N}]{0,20}";

const ownLines = [
  // Any hyphenated key that ends in "by", and the known ones with blanks. `DCO-1.1-Signed-off-by` has figures.
  `(?:\\p{L}[\\p{L}\\p{N}.]{0,30}${dash}|\\p{N}[\\p{N}.]{0,10}${dash}){1,5}by${separator}`,
  `${personKey}(?:${separator}|\\s{0,20}[;|,~>→–—-])`,
  // Git's own mail form, without a separator.
  `${personKey}\\s[^\\n]{0,200}[<(][^\\n>)]{1,200}@[^\\n]{1,200}[>)]`,
  // Other fields that name people, or from which other tools read the identity of a change.
  `(?:cc|bcc|co${dashOrBlank}authors?|on${dash}behalf${dash}of|thanks${dash}to|reviewed${dash}on|reviewers?|assignees?|committer)${separator}`,
  `(?:from|author|to|sender|reply${dash}to|approvers?|contributors?|pair(?:ed)?(?:${dashOrBlank}with)?|reviewed|sign(?:ed)?${dashOrBlank}off|testers?|helpers?|mentors?|sponsors?|maintainers?)${separator}[^\\n]{0,300}@`,
  // Any key with a person and an address, as git writes one.
  `\\p{L}[\\p{L}\\p{N}_ -]{0,40}${separator}[^\\n]{0,300}[<(][^<>()\\s@]{1,100}@[^<>()\\s]{1,200}[>)]`,
  // Commands to release tools: https://github.com/googleapis/release-please#how-do-i-change-the-version-number.
  `release${dash}as${separator}`,
  `(?:begin|end)_(?:commit_override|nested_commit)\\b`,
  `(?:[\\p{L}]{1,30}${dash}){1,4}id${separator}`,
  `(?:skip|request)${dashOrBlank}checks?${separator}`,
  `baton${dash}[\\w-]{1,60}${separator}`,
];
const ownLine = new RegExp(`${lead}(?:${ownLines.join("|")})`, "iu");
/** No tool reads it as a field within a line, but people would. */
const withinLine = new RegExp(`(?<![\\p{L}\\p{N}])${personKey}${separator}[^\\n]{0,300}@[^\\n]*`, "giu");
const ownWithin = new RegExp(`(?<![\\p{L}\\p{N}])(baton${dash}[\\w-]{1,60})${separator}`, "giu");

/** Lines that a tool reads as a patch, as a comment, or as a command of a runner or Baton. */
const patch = /^(?=---(?:\s|$)|diff -|Index: |From [0-9a-f]{40}|-- >8 --)/;
const comment = /^\s*(?:#+|;(?=\s))\s*/;
const runnerCommand = /^(\s*)(?:::(?=[a-z])|##(?=\[))/;
const batonCommand = /^(\s*)\/(?=baton\b)/i;

/** Works line by line. A removed field also loses its folded lines. */
export function defuseLines(text: string): string {
  const kept: string[] = [];
  let removing = false;
  for (const line of text.split("\n")) {
    if (removing && /^\s+\S/.test(line)) continue;
    removing = ownLine.test(line);
    if (removing) continue;
    const rest = line
      .replace(withinLine, "")
      .replace(ownWithin, "$1")
      .replace(runnerCommand, "$1")
      .replace(comment, "")
      .replace(batonCommand, "$1")
      .replace(patch, "  ");
    kept.push(rest);
  }
  return kept.join("\n");
}

/**
 * GitHub: https://docs.github.com/en/actions/managing-workflow-runs/skipping-workflow-runs. GitLab, CircleCI, Netlify and
 * Bitbucket accept the same words. Travis, AppVeyor, Cirrus and pre-commit.ci accept their own name next to "skip". Others
 * accept `-o ci.skip`.
 */
const skipInBrackets =
  /\[([^[\]]{0,80}?\b(?:skip|skipped|no[-_\s](?:ci|cd|actions?|build|deploy|tests?|checks?|release|merge))\b[^[\]]{0,80})\]/gi;
const skipInBracketsJoined =
  /\[([^[\]]{0,40}(?:skip|no)[-_]?(?:ci|cd|actions?|build|deploy|tests?|checks?)[^[\]]{0,40})\]/gi;
const azureSkip = /(?<!\*)\*{2,}[\s_]*(no[-_\s]?ci|skip[-_\s]?ci)[\s_]*\*{2,}/gi;
const optionSkip = /(?<![\w-])-{1,2}((?:skip|no)[-_]ci|ci[-_]skip)\b/gi;
const checksField = /(skip|request)([-_])checks(?=\s*[:=])/gi;

const mention = /(?<![A-Za-z0-9])([@＠﹫])(?=[A-Za-z0-9_])/g;
/** Every reference, with or without a closing keyword: each one adds an entry to the thread that it names. */
const reference = /(?<!&)(\w?)[#＃﹟](?=\d)/g;
const githubReference = /\bGH-(?=\d)/gi;
const address =
  /(?:https?:\/\/|www\.)(?=[^\s<>"']{1,200}\/(?:issues|pull|pulls|discussions|merge_requests|commit|work_items)\/)/gi;
const keywordAddress =
  /((?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing))[\s:*_~`'"(<[]{0,20})https?:(?:\/\/)?/gi;
/** Jira: `SHOP-1 #close #comment done`. */
const smartCommit = /(\b[A-Z][A-Z0-9_]{1,20}-\d{1,10}\b[^\n]{0,200}?)#(?=[a-z])/gi;

/** Only the words that keep CI from starting: for texts that may become a commit's body. */
export function defuseSkips(text: string): string {
  return text
    .replace(skipInBrackets, "($1)")
    .replace(skipInBracketsJoined, "($1)")
    .replace(azureSkip, "$1")
    .replace(optionSkip, "$1")
    .replace(checksField, "$1$2check");
}

export function defuseWords(text: string): string {
  return defuseSkips(text)
    .replace(mention, "$1 ")
    .replace(smartCommit, "$1")
    .replace(githubReference, "GH ")
    .replace(address, "")
    .replace(keywordAddress, "$1")
    .replace(reference, (_, before: string) => (before === "" ? "no. " : `${before} no. `));
}
