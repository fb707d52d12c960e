/**
 * Files that nobody edits by hand, so a change of them is not worth a proposal. For the detectors whose search is Baton's
 * own. A linter has its own list.
 */

/** Made by tools wherever they are: also left out of a rule that names its files by globs. */
const made = ["**/node_modules/**", "**/*.min.{js,css,mjs}", "**/*.map", "**/*.snap", "**/__snapshots__/**"];
const locks = ["package-lock.json", "npm-shrinkwrap.json", "*.lock", "*-lock.yaml", "go.sum", "bun.lockb"];
/** Copies of other projects, histories, and inputs of tests. */
const kept = ["vendor", "vendored", "third_party", "third-party", "fixtures", "__fixtures__", "testdata", "dist"];
const histories = ["changelog", "changes", "history", "news", "releases", "release-notes"];

const braces = /^(.*)\{(.+)\}(.*)$/;
const spread = (glob: string): string[] => {
  const [, before = "", list = "", after = ""] = braces.exec(glob) ?? [];
  return list === "" ? [glob] : list.split(",").map((one) => `${before}${one}${after}`);
};
const exclude = (glob: string): string => `':(exclude,glob,icase)${glob}'`;

/** GitHub's own marks: https://docs.github.com/en/repositories/working-with-files/managing-files/customizing-how-changed-files-appear-on-github */
const attributes = ["linguist-generated", "linguist-vendored"].flatMap((name) =>
  [name, `${name}=true`].map((one) => `':(exclude,attr:${one})'`),
);
const always = [...attributes, ...[...made, ...locks.map((name) => `**/${name}`)].flatMap(spread).map(exclude)];
const mostly = [
  ...kept.map((name) => `**/${name}/**`),
  ...histories.flatMap((name) => [`**/${name}.{md,rst,txt}`, `**/${name}`]),
]
  .flatMap(spread)
  .map(exclude);

/** Pathspecs of git. `named`: the rule names its files, so folders such as `vendor` are meant if they are in there. */
export function handWritten({ named }: { named: boolean }): string {
  return [...always, ...(named ? [] : mostly)].join(" ");
}

/**
 * For `sh`: `made FILE` is true if a tool wrote the file. The first lines of such a file say so, and so does its
 * template. It remembers its last answer, because findings of one file follow each other.
 * Source: https://pkg.go.dev/cmd/go#hdr-Generate_Go_files_by_processing_source
 */
export const madeCommand = `made() { case "$1" in *.tmpl|*.tpl|*.ejs|*.hbs|*.j2|*.in|*.mustache|*.template) return 1;; esac; [ "$1" = "$madeLast" ] || { madeLast="$1"; head -n 5 -- "$1" 2>/dev/null | grep -qiE '(code|file) (is|was|has been) (auto-?matically |auto-?)?generated|(^|[^a-z])auto-?generated|@generated|code generated .* do not edit'; madeCode=$?; }; return $madeCode; }`;
