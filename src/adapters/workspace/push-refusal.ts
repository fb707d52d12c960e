/**
 * A remote's answer to a refused push: its own words, and the advice that follows from them.
 *
 * PR1 Baton never reports a refusal by a rule, a hook or a permission as a moved branch. A retry would cost again and
 *     end the same way.
 * PR2 A server failure or a faster push is not a refusal. The same push may work a moment later.
 */

export type PushRefusalKind =
  | "signatures"
  | "workflows"
  | "ref-conflict"
  | "name"
  | "pull-request"
  | "secrets"
  | "large-file"
  | "archived"
  | "denied"
  | "rule"
  | "hook";

export interface PushRefusal {
  kind: PushRefusalKind;
  /** The remote's own lines, joined into one. */
  said: string;
  /** The next step for a person. */
  advice: string;
}

const kinds: readonly [RegExp, PushRefusalKind, string][] = [
  // https://github.com/py-cov-action/python-coverage-comment-action/issues/561
  [
    /must have (?:a )?(?:valid |verified )+signatures?|commit signatures/i,
    "signatures",
    "GitHub signs what Baton commits through its API with an App's token. Give Baton one, or exempt its branches from that rule.",
  ],
  // https://docs.github.com/en/apps/creating-github-apps/registering-a-github-app/choosing-permissions-for-a-github-app
  [
    /without [`'"]?workflows?[`'"]? (?:permission|scope)/i,
    "workflows",
    "Give Baton's App the permission Workflows: write, or keep workflow files out of the change.",
  ],
  [
    /directory[ /]file conflict|[`'"]refs\/heads\/[^'"`]+[`'"] exists; cannot create|refname conflict|there are still refs under/i,
    "ref-conflict",
    "A branch of that name, or one below it, is in the way. Delete it, or set another `branchPrefix`.",
  ],
  // https://docs.github.com/en/code-security/secret-scanning/introduction/about-push-protection
  [
    /push cannot contain secrets|push protection|GH009/i,
    "secrets",
    "GitHub found a secret in the commits. Remove it, and change it if it is real.",
  ],
  [/GH001|exceeds GitHub's file size limit/i, "large-file", "Keep the file out of the change, or use Git LFS."],
  [/archived so it is read-only/i, "archived", "Unarchive the repository."],
  [
    /(?:branch|ref) name must|must match (?:a|the) .*pattern: ?.*branch|branch name/i,
    "name",
    "Set a `branchPrefix` that the rule allows.",
  ],
  [
    /changes must be made through (?:a pull request|the merge queue)/i,
    "pull-request",
    "The rule covers a branch that Baton pushes to. Exempt Baton's branches from it.",
  ],
  // A 403 in the middle of the transfer ("RPC failed") is a limit that passes. A missing permission shows before the
  // transfer.
  [
    /permission to .* denied|^fatal: .*returned error: 403|not allowed to push|protected branch|creations? being restricted/im,
    "denied",
    "Let Baton's App push to this branch.",
  ],
  [/GH0\d\d|rule violations?/i, "rule", "Change the rule that is named, or exempt Baton's branches from it."],
];
const hook = [
  /hook declined|pre-receive|\[remote rejected\]/i,
  "hook",
  "The remote's own words say what it wants.",
] as const;

/**
 * Reasons of a server that failed, not of one that refused: an incident, or another push at the same moment. Sources:
 * https://github.com/microsoft/vscode/issues/182679, https://github.com/desktop/desktop/issues/16398,
 * https://github.com/isaacs/github/issues/1253, and `refs.c` and `builtin/receive-pack.c` of git.
 */
const passing =
  /^(?:failure|failed to update ref|failed to (?:write|lock).*|internal server error|.*unpacker error.*|error processing packfile|reference already exists|incorrect old value provided|cannot lock ref .*(?:is at .* but expected|reference already exists|unable to resolve reference|File exists).*|(?:the )?(?:service|repository) (?:is )?(?:temporarily )?unavailable.*|.*\b(?:try again|timed? ?out|deadline exceeded)\b.*)$/i;

/** Null: not a refusal, but a failed transfer, or a branch that has moved. */
export function pushRefusal(stderr: string): PushRefusal | null {
  const lines = stderr.split(/\r?\n|\r/).map((line) => line.trimEnd());
  const rejected = lines.filter((line) => /^\s*! \[(?:remote )?rejected\]/.test(line));
  const isStale = rejected.some((line) => /\((?:stale info|fetch first|non-fast-forward|needs force)\)/.test(line));
  if (isStale && !rejected.some((line) => line.includes("[remote rejected]"))) return null;
  const remote = lines.flatMap((line) => /^remote: ?(.*)$/.exec(line)?.[1] ?? []);
  const reasons = rejected.map((line) => /\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$/.exec(line)?.[1] ?? line.trim());
  const fatal = lines.filter((line) => /^fatal: .*returned error: 403/.test(line));
  const isPassing = rejected.length > 0 && reasons.every((reason) => passing.test(reason));
  for (const [pattern, kind, advice] of [...kinds, ...(isPassing ? [] : [hook])]) {
    if (![...remote, ...rejected, ...fatal, stderr].some((text) => pattern.test(text))) continue;
    const words = [...remote, ...reasons, ...fatal]
      .map((line) =>
        line
          .replace(/^error: /, "")
          .replaceAll(/\s+/g, " ")
          .trim(),
      )
      .filter((line) => line !== "" && !line.startsWith("Resolving deltas"));
    const said = [...new Set(words)].join(" ").slice(0, 800);
    return { kind, said: said === "" ? stderr.trim().slice(-400) : said, advice };
  }
  return null;
}
