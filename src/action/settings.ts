/** The platform's inputs for a job, as typed settings. All problems are reported at once. */
import { join, resolve } from "node:path";
import { z } from "zod";
import { sandboxModes } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import { type AppSettings, readSettings } from "../environment/settings.ts";

const minutesDefault = 330;
const stateKeyCharactersMin = 16;
/** Self-hosted jobs end after five days. */
const minutesMax = 5 * 24 * 60;

const optional = z
  .string()
  .trim()
  .optional()
  .transform((value) => (value === undefined || value === "" ? null : value));

const environmentSchema = z.object({
  GITHUB_EVENT_NAME: z.string().min(1),
  GITHUB_EVENT_PATH: z.string().min(1),
  GITHUB_REPOSITORY: z.string().regex(/^[^/\s]+\/[^/\s]+$/, "owner/name"),
  GITHUB_API_URL: z.url().default("https://api.github.com"),
  GITHUB_SERVER_URL: z.url().default("https://github.com"),
  GITHUB_RUN_ID: z.string().regex(/^\d+$/, "a number"),
  GITHUB_RUN_ATTEMPT: z.string().default("1"),
  GITHUB_JOB: optional,
  GITHUB_WORKFLOW_REF: optional,
  GITHUB_WORKFLOW_SHA: optional,
  GITHUB_STEP_SUMMARY: optional,
  GITHUB_OUTPUT: optional,
  GITHUB_STATE: optional,
  RUNNER_TEMP: z.string().min(1),
  INPUT_TOKEN: optional,
  "INPUT_APP-SLUG": optional,
  "INPUT_TIME-LIMIT-MINUTES": optional,
  "INPUT_DISPATCH-WORKFLOWS": optional,
  "INPUT_CHECK-RUN-ID": optional,
  "INPUT_STATE-KEY": optional,
  INPUT_JOB: optional,
  INPUT_WORKFLOW: optional,
  "INPUT_WAKE-UP": optional,
  "INPUT_CACHE-DIRECTORY": optional,
  "INPUT_READ-CHECK": optional,
  INPUT_AGENT: optional,
  INPUT_SANDBOX: optional,
  BATON_SANDBOX: optional,
  GITHUB_TOKEN: optional,
  ACTIONS_ID_TOKEN_REQUEST_URL: optional,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: optional,
  INPUT_ENDPOINT: optional,
});

const jobParts = ["all", "read", "work", "wake"] as const;
type JobPart = (typeof jobParts)[number];

export interface ActionSettings {
  eventName: string;
  eventPath: string;
  repository: { owner: string; name: string };
  apiUrl: string;
  webUrl: string;
  workflowRunId: string;
  workflowRunAttempt: string;
  /** The job's id in its workflow. A job without a name has a check of this name. */
  jobName: string | null;
  /** The job's part. `read` decides whether `work` starts. `all` does both. `wake` starts the workflow of the others. */
  part: JobPart;
  /** False: no agent is installed in this job, because `read` found none needed. */
  hasAgent: boolean;
  /** File name of the workflow that `wake` starts. */
  workflow: string;
  /** File name of the workflow with the part `wake`. */
  wakeUp: string;
  /** Check runs of the job itself and of the job that read its event. Empty: an older runner does not report them. */
  checkRunIds: number[];
  /** `.github/workflows/baton.yml`. */
  workflowPath: string | null;
  /** The commit or branch of the job's workflow file. null: the runner does not report it. */
  workflowAt: string | null;
  token: string;
  /** Where this job gets proof of its identity. null: it has no `permissions: id-token: write`. */
  jobToken: { url: string; token: string } | null;
  /** The only App that may give effects to this workflow. null: any App that dispatched it. */
  endpoint: string | null;
  appSlug: string | null;
  /** File names of workflows that Baton starts after a push that starts none. */
  dispatchWorkflows: string[];
  /** The key that encrypts commits with secrets for later jobs. null: such work ends with its job. */
  stateKey: string | null;
  /** The job stops itself by then and hands over to a successor. */
  limitMs: number;
  dataDir: string;
  /** Directory of `sandbox.setup` downloads. Steps before and after Baton's step restore and keep it. */
  cacheDir: string;
  /** Files that the platform reads after the step. null: it does not read any. */
  summaryPath: string | null;
  outputPath: string | null;
  statePath: string | null;
  logLevel: string;
  sandbox: AppSettings["sandbox"];
  harness: AppSettings["harness"];
  secrets: string[];
}

const isSandboxMode = (mode: string): boolean => sandboxModes.some((known) => known === mode);

export function readActionSettings(environment: Record<string, string | undefined>): ActionSettings {
  const parsed = environmentSchema.safeParse(environment);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => {
        const name = String(path[0]);
        return environment[name] === undefined
          ? `${name} is not set: this program is started by a GitHub Actions runner`
          : `${name} is ${JSON.stringify(environment[name])}: ${message}`;
      });
  const env = parsed.data;
  const token = env?.INPUT_TOKEN ?? env?.GITHUB_TOKEN ?? null;
  if (env !== undefined && token === null)
    problems.push("The input `token` is empty: leave it out for the job's own token");
  const minutes = Number(env?.["INPUT_TIME-LIMIT-MINUTES"] ?? minutesDefault);
  if (!(minutes > 0 && minutes <= minutesMax))
    problems.push(`The input \`time-limit-minutes\` is a number of minutes, up to ${minutesMax}`);
  const stateKey = env?.["INPUT_STATE-KEY"] ?? null;
  if (stateKey !== null && stateKey.length < stateKeyCharactersMin)
    problems.push(
      `The input \`state-key\` is too short: it has ${stateKeyCharactersMin} characters or more. \`openssl rand -hex 32\` makes one`,
    );
  const part = jobParts.find((known) => known === (env?.INPUT_JOB ?? "all"));
  if (part === undefined)
    problems.push(`The input \`job\` is ${JSON.stringify(env?.INPUT_JOB)}: it is one of ${jobParts.join(", ")}`);
  const mode = env?.INPUT_SANDBOX ?? env?.BATON_SANDBOX ?? "prefer";
  if (!isSandboxMode(mode))
    problems.push(`The input \`sandbox\` is ${JSON.stringify(mode)}: it is one of ${sandboxModes.join(", ")}`);
  if (env === undefined || token === null || part === undefined || problems.length > 0)
    throw new BatonError("BATON_SETTINGS_INVALID", problems.join("\n"));
  const [owner = "", name = ""] = env.GITHUB_REPOSITORY.split("/");
  const dataDir = join(env.RUNNER_TEMP, "baton");
  const cacheDir = resolve(env.RUNNER_TEMP, env["INPUT_CACHE-DIRECTORY"] ?? "baton-packages");
  // Model keys and harness choices are read as in the App. An App's own keys have no effect here.
  const shared = readSettings({
    ...environment,
    APP_ID: undefined,
    DATABASE_URL: undefined,
    BATON_DATA: dataDir,
    BATON_SANDBOX: mode,
  });
  return {
    eventName: env.GITHUB_EVENT_NAME,
    eventPath: env.GITHUB_EVENT_PATH,
    repository: { owner, name },
    apiUrl: env.GITHUB_API_URL,
    webUrl: env.GITHUB_SERVER_URL,
    workflowRunId: env.GITHUB_RUN_ID,
    workflowRunAttempt: env.GITHUB_RUN_ATTEMPT,
    jobName: env.GITHUB_JOB,
    part,
    hasAgent: env.INPUT_AGENT !== "false",
    workflow: env.INPUT_WORKFLOW ?? "baton.yml",
    wakeUp: env["INPUT_WAKE-UP"] ?? "baton-wake-up.yml",
    checkRunIds: [env["INPUT_CHECK-RUN-ID"], env["INPUT_READ-CHECK"]].flatMap((id) =>
      /^[1-9]\d{0,15}$/.test(id ?? "") ? [Number(id)] : [],
    ),
    workflowPath: workflowPathOf(env.GITHUB_WORKFLOW_REF),
    workflowAt: env.GITHUB_WORKFLOW_SHA ?? /@refs\/heads\/(.+)$/.exec(env.GITHUB_WORKFLOW_REF ?? "")?.[1] ?? null,
    token,
    jobToken:
      env.ACTIONS_ID_TOKEN_REQUEST_URL === null || env.ACTIONS_ID_TOKEN_REQUEST_TOKEN === null
        ? null
        : { url: env.ACTIONS_ID_TOKEN_REQUEST_URL, token: env.ACTIONS_ID_TOKEN_REQUEST_TOKEN },
    endpoint: env.INPUT_ENDPOINT,
    appSlug: env["INPUT_APP-SLUG"],
    dispatchWorkflows: (env["INPUT_DISPATCH-WORKFLOWS"] ?? "").split(/[\s,]+/).filter((name) => name !== ""),
    stateKey,
    limitMs: minutes * 60_000,
    dataDir,
    cacheDir,
    summaryPath: env.GITHUB_STEP_SUMMARY,
    outputPath: env.GITHUB_OUTPUT,
    statePath: env.GITHUB_STATE,
    logLevel: shared.logLevel,
    sandbox: shared.sandbox,
    harness: shared.harness,
    secrets: [
      ...shared.secrets,
      token,
      ...(stateKey === null ? [] : [stateKey]),
      ...(env.ACTIONS_ID_TOKEN_REQUEST_TOKEN === null ? [] : [env.ACTIONS_ID_TOKEN_REQUEST_TOKEN]),
      ...(env.GITHUB_TOKEN === null ? [] : [env.GITHUB_TOKEN]),
    ],
  };
}

/** `owner/name/.github/workflows/baton.yml@refs/heads/main` to the path. */
function workflowPathOf(reference: string | null): string | null {
  return reference === null ? null : (/^[^/]+\/[^/]+\/(.+)@/.exec(reference)?.[1] ?? null);
}
