/**
 * Whether a workflow may publish: release, deploy, upload, or write to a place that others read.
 *
 * PB1 If in doubt, it may. Baton never starts such a workflow: an agent's commit has no review yet, and the job has secrets.
 * PB2 Baton also judges the workflows and actions of the repository that it calls. An unreadable one counts against it.
 */
import {
  asksHowStarted,
  commandFound,
  nameFound,
  onlyForPulls,
  secretFound,
  startedByHand,
  stepActionFound,
  stepNameFound,
} from "./publishing-signs.ts";
import { type Fields, fieldsOf, parsedYaml, shown, textsOf } from "./workflow-yaml.ts";

/** A file of the same commit. null: it does not exist, or Baton did not read it. */
export type ReadFile = (path: string) => string | null;

interface Judging {
  read: ReadFile;
  /** Files that Baton is judging now, so that a circle ends. */
  seen: ReadonlySet<string>;
  /** Values of names that a command may contain: from `env` and from the matrix. */
  values: ReadonlyMap<string, readonly string[]>;
  /** The steps are those of an action. */
  inAction?: boolean;
}

const depthMax = 10;
const reasonsMax = 6;

/** Sentences, each with one reason. Empty: nothing was found. */
export function publishingOf(path: string, file: Fields, read: ReadFile): string[] {
  return [...new Set(judge(path, file, { read, seen: new Set([path]), values: new Map() }))].slice(0, reasonsMax);
}

/** A job that publishes is not a check to require, whatever else its workflow does. */
export function jobPublishes(id: string, job: Fields, read: ReadFile): boolean {
  return ofJob(id, job, { read, seen: new Set(), values: new Map() }).length > 0;
}

function judge(path: string, file: Fields, judging: Judging): string[] {
  const name = file["name"];
  const stem =
    path
      .split("/")
      .at(-1)
      ?.replace(/\.ya?ml$/, "") ?? "";
  // An `env` of the workflow reaches every job.
  const secret = secretFound(JSON.stringify({ ...file, jobs: null }));
  return [
    ...(secret === null ? [] : [`The workflow uses the secret ${shown(secret)}.`]),
    ...(typeof name === "string" && nameFound(name) ? [`Its name is ${shown(name)}.`] : []),
    ...(nameFound(stem) ? [`Its file is ${shown(path.split("/").at(-1) ?? "")}.`] : []),
    ...permissionsFound("The workflow", file["permissions"]),
    ...shellFound("The workflow", file["defaults"]),
    ...Object.entries(fieldsOf(file["jobs"]) ?? {}).flatMap(([id, value]) => {
      const job = fieldsOf(value) ?? {};
      // A start by hand leaves the job out, also in a called workflow, which has the event of its caller.
      return onlyForPulls(job["if"]) ? [] : ofJob(id, job, withValues(judging, file["env"]));
    }),
  ];
}

function ofJob(id: string, job: Fields, given: Judging): string[] {
  const judging = withValues(withValues(given, job["env"]), fieldsOf(job["strategy"])?.["matrix"]);
  const who = `Job ${shown(id)}`;
  const name = typeof job["name"] === "string" ? job["name"] : null;
  const environment = environmentOf(job["environment"]);
  const secret = secretFound(JSON.stringify(job));
  return [
    ...(environment === null ? [] : [`${who} has the environment ${shown(environment)}.`]),
    ...permissionsFound(who, job["permissions"]),
    ...(secret === null ? [] : [`${who} uses the secret ${shown(secret)}.`]),
    ...(nameFound(id) ? [`${who} is named like a release.`] : []),
    ...(name !== null && nameFound(name) ? [`${who} has the name ${shown(name)}.`] : []),
    ...byHandFound(who, job, judging),
    ...shellFound(who, job["defaults"]),
    ...calledFound(who, job, judging),
    ...stepsFound(who, job["steps"], judging),
  ];
}

/** A condition that excludes pull requests may let the job publish. */
function byHandFound(who: string, { if: condition }: Fields, judging: Judging): string[] {
  return typeof condition === "string" && startedByHand(condition, judging)
    ? [`${who} has a condition on what starts it: ${shown(condition)}.`]
    : [];
}

function environmentOf(environment: unknown): string | null {
  const name = fieldsOf(environment)?.["name"] ?? environment ?? "";
  if (name === "") return null;
  return typeof name === "string" ? name : "…";
}

/** https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions */
const published = ["packages", "pages", "id-token", "contents", "deployments", "attestations", "artifact-metadata"];

function permissionsFound(who: string, permissions: unknown): string[] {
  if (typeof permissions === "string" && /^write-all$|\$\{\{/i.test(permissions))
    return [`${who} may write everything (\`permissions: write-all\`).`];
  const map = fieldsOf(permissions) ?? {};
  const names = published.filter((name) => typeof map[name] === "string" && /^write$|\$\{\{/i.test(map[name]));
  return names.length === 0 ? [] : [`${who} may write ${names.map(shown).join(", ")}.`];
}

function calledFound(who: string, job: Fields, judging: Judging): string[] {
  const uses = job["uses"];
  if (typeof uses !== "string") return [];
  const inherits = job["secrets"] === "inherit" ? [`${who} gives all secrets to ${shown(uses)}.`] : [];
  const path = localPath(uses);
  if (path === null)
    return [...inherits, `${who} calls ${shown(uses)} of another repository, which Baton does not read.`];
  return [...inherits, ...ofCallee(who, path, judging)];
}

function localPath(uses: string): string | null {
  return uses.startsWith("./") ? uses.slice(2).replace(/\/+$/, "") : null;
}

function ofCallee(who: string, path: string, { read, seen }: Judging): string[] {
  if (seen.has(path)) return [];
  const text = read(path);
  const file = text === null || seen.size >= depthMax ? null : fieldsOf(parsedYaml(text));
  if (file === null) return [`${who} calls ${shown(path)}, which Baton cannot read.`];
  const found = judge(path, file, { read, seen: new Set([...seen, path]), values: new Map() });
  return found.map((reason) => `${who} calls ${shown(path)}: ${reason}`);
}

function stepsFound(who: string, steps: unknown, judging: Judging): string[] {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step: unknown) => {
    const fields = fieldsOf(step) ?? {};
    const [run, uses, name] = [fields["run"], fields["uses"], fields["name"]];
    const inside = withValues(judging, fields["env"]);
    const command =
      typeof run === "string"
        ? (scriptsOf(run, inside)
            .map(commandFound)
            .find((found) => found !== null) ?? null)
        : null;
    return [
      ...byHandFound(who, fields, judging),
      ...startFound(who, fields, judging),
      ...shellFound(who, { run: fields }),
      ...(typeof name === "string" && stepNameFound(name) ? [`${who} has the step ${shown(name)}.`] : []),
      ...(command === null ? [] : [`${who} runs ${shown(command)}.`]),
      ...(typeof uses === "string" ? usesFound(who, uses, { step: fields, judging }) : []),
    ];
  });
}

/** Shells that GitHub knows, and common interpreters. Any other shell is a command. */
const shells = /^(?:bash|sh|zsh|pwsh|powershell|cmd|python3?|node|perl|ruby|Rscript)\b(?![^{]*\s-c\b)/;

function shellFound(who: string, defaults: unknown): string[] {
  const shell = fieldsOf(fieldsOf(defaults)?.["run"])?.["shell"];
  return typeof shell === "string" && !shells.test(shell) && commandFound(shell.replaceAll(/["']/g, " ")) !== null
    ? [`${who} has the shell ${shown(shell)}.`]
    : [];
}

/** A step that acts differently if no pull request started it. */
function startFound(who: string, { run, env, with: given }: Fields, judging: Judging): string[] {
  const texts = [run, ...Object.values(fieldsOf(env) ?? {}), ...Object.values(fieldsOf(given) ?? {})].flatMap(textsOf);
  const expressions = texts.flatMap((text) => text.match(/\$\{\{[^}]*\}\}/g) ?? []);
  const found = expressions.find((expression) => startedByHand(expression, judging));
  if (found !== undefined) return [`${who} asks what starts it: ${shown(found)}.`];
  return typeof run === "string" && asksHowStarted(run) ? [`${who} asks what starts it: \`GITHUB_EVENT_NAME\`.`] : [];
}

const valuesMax = 200;

/** Values of `env` by their names, and of a matrix by its keys, including those of `include`. */
function withValues(judging: Judging, given: unknown): Judging {
  const values = new Map(judging.values);
  let count = 0;
  const add = (fields: Fields): void => {
    for (const [key, value] of Object.entries(fields)) {
      if (key === "include" && Array.isArray(value)) {
        for (const one of value as unknown[]) add(fieldsOf(one) ?? {});
        continue;
      }
      const texts = (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((one) => {
        const inner = fieldsOf(one);
        if (inner !== null) add(inner);
        return textsOf(one);
      });
      count += texts.length;
      if (count <= valuesMax) values.set(key, [...(values.get(key) ?? []), ...texts]);
    }
  };
  add(fieldsOf(given) ?? {});
  return { ...judging, values };
}

const scriptsMax = 300;

/** A script as it is written, and with each possible value of its names. */
function scriptsOf(run: string, { values }: Judging): string[] {
  const scripts = [run];
  for (const [key, texts] of values) {
    const name = key.replaceAll(/\W/g, "\\$&");
    const uses = new RegExp(
      String.raw`\$\{\{\s*(?:matrix(?:\.\w+)*|env)\.${name}\s*\}\}|\$\{${name}\}|\$(?:env:)?${name}\b`,
      "g",
    );
    for (const script of scripts.filter((one) => one.search(uses) !== -1))
      for (const text of texts)
        if (scripts.length < scriptsMax) scripts.push(script.replaceAll(uses, () => text).replaceAll(/["']/g, " "));
  }
  return scripts;
}

function usesFound(who: string, uses: string, { step, judging }: { step: Fields; judging: Judging }): string[] {
  if (stepActionFound(uses, withOf(step))) return [`${who} uses ${shown(uses)}.`];
  const path = localPath(uses);
  if (path === null) return [];
  if (nameFound(path)) return [`${who} uses ${shown(uses)}.`];
  const from = path === "" ? "" : `${path}/`;
  const key = `${from}action`;
  if (judging.seen.has(key)) return [];
  const text = judging.read(`${from}action.yml`) ?? judging.read(`${from}action.yaml`);
  const action = fieldsOf(text === null ? null : parsedYaml(text));
  const runs = fieldsOf(action?.["runs"]);
  if (runs === null || judging.seen.size >= depthMax) return [`${who} uses ${shown(uses)}, which Baton cannot read.`];
  const inAction = `${who}, in ${shown(uses)},`;
  // An action in JavaScript or a container is code of the repository, like a script of a step. Only its inputs count.
  const given = [runs["image"], runs["entrypoint"], textsOf(runs["args"]).join(" ")].flatMap(textsOf).join("\n");
  const defaults = Object.values(fieldsOf(action?.["inputs"]) ?? {}).flatMap((one) =>
    textsOf(fieldsOf(one)?.["default"] ?? []),
  );
  const asking = defaults.find((text) => text.includes("${{") && startedByHand(text, { inAction: true }));
  return [
    ...(commandFound(given) === null ? [] : [`${inAction} runs ${shown(given)}.`]),
    ...(asking === undefined ? [] : [`${inAction} asks what starts it: ${shown(asking)}.`]),
    ...stepsFound(inAction, runs["steps"], { ...judging, inAction: true, seen: new Set([...judging.seen, key]) }),
  ];
}

function withOf(step: Fields): Record<string, string> {
  const given = Object.entries(fieldsOf(step["with"]) ?? {});
  return Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), textsOf(value).join("\n")]));
}
