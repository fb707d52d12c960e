/**
 * `baton.yaml`: every key with its prose, type and default. Types, JSON Schema, reference and messages come from here.
 *
 * Y1 Baton reads it from the default branch, or from a pull request's base. A change cannot loosen the rules that judge it.
 * Y2 An unknown key is an error with a suggestion, never ignored.
 * Y3 Every key changes behaviour, and a test shows it.
 */

import { z } from "zod";
import { builtInHarnesses } from "../adapters/harness/descriptions.ts";
import { severities } from "../core/finding.ts";
import { limits } from "../core/limits.ts";
import { priorities } from "../core/priority.ts";
import { capabilities } from "../core/vocabulary.ts";
import { isTimeZone } from "../core/zone.ts";
import { globProblem } from "../policy/paths.ts";
import { triggerEvents } from "../trigger/event.ts";
import { commandNames } from "./command-names.ts";

function alternatives(names: readonly string[]): string {
  const words = names.map((name) => `\`${name}\``);
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** Baton matches lists against every file or check. */
const listMax = 200;
/** Larger than any reasonable amount, and finite, so sums stay exact enough. */
const usd = z
  .number()
  .nonnegative()
  .refine((amount) => amount <= 1_000_000, "is more than 1,000,000. Write a smaller number.");
const askOr = <T extends string>(other: T) => z.enum(["ask", other]);
const permission = z.enum(["read", "triage", "write", "maintain", "admin"]);
const login = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$/, "a GitHub login, without @");
/** `!` inverts a glob, which would then protect everything else. A path that begins with `/`, `./` or `../` never occurs. */
const glob = z
  .string()
  .regex(
    /^(?!!|\/|\.\.?\/)\S(?:.{0,254}\S)?$/,
    "a glob of paths from the root of the repository, without a leading /, ./ or !",
  )
  .refine((text) => globProblem(text) === null, {
    error: "a glob without groups such as `+(a|b)` and with at most 3 `*` between two slashes",
  });

/** A glob of people, or the one that the paths of a run become (`outsideOf`). */
const protectedGlob = z
  .string()
  .regex(
    /^(?!!(?!\{)|\/|\.\.?\/)\S(?:.{0,5000}\S)?$/,
    "a glob of paths from the root of the repository, without a leading /, ./ or !",
  )
  .refine((text) => globProblem(text) === null, {
    error: "a glob without groups such as `+(a|b)` and with at most 3 `*` between two slashes",
  });

/** A model, or a strength: each harness has its own models for the three strengths. */
const modelOrTier = z.string().min(1).nullable().default(null);
const role = z.enum(["plan", "implement", "repair", "address", "review", "verify"]);

const profileSchema = z.strictObject({
  access: z
    .enum(["read-only", "write"])
    .default("write")
    .describe("The most that an agent may do, whatever its step asks for."),
  roles: z.array(role).max(listMax).default([]).describe("Steps that are dispatched at all. Empty: any."),
  needs: z
    .array(z.enum(capabilities))
    .max(listMax)
    .default([])
    .describe("Capabilities that the harness must have by itself, for example `readOnly` or `maxUsd`."),
  harnesses: z.array(z.string().min(1)).max(listMax).default([]).describe("Harnesses that may be chosen. Empty: any."),
  model: modelOrTier.describe("Model, or `fast`, `standard` or `strong`, in place of what `models` says."),
});

/** Names become parts of tool names and of harness options. */
const toolServerName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "lower-case letters, digits and hyphens, at most 31");
const toolServerSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .max(listMax)
    .default([])
    .describe(
      "Program and arguments of a server that the agent starts; refused unless the operator sets BATON_REPOSITORY_COMMANDS=allow.",
    ),
  environment: z
    .record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/i, "the name of a variable"), z.string())
    .default({})
    .describe("Variables of that program. Everybody can read this file: no secrets."),
  url: z
    .string()
    .regex(/^https?:\/\/\S+$/, "an address that begins with http:// or https://")
    .nullable()
    .default(null)
    .describe("Address of a server that is reached over HTTP."),
  access: z
    .enum(["read-only", "write"])
    .default("write")
    .describe("`read-only`: its tools change nothing, so that steps which must not write get it, too."),
});

const tierSchema = z.strictObject({
  fast: z.string().min(1).optional().describe("Its fast and cheap model."),
  standard: z.string().min(1).optional().describe("Its model for everyday work."),
  strong: z.string().min(1).optional().describe("Its best model."),
});

/** A check by name, or by name and the id of the GitHub App that must report it. */
const check = z
  .union([
    z.string().min(1),
    z.strictObject({
      name: z.string().min(1).describe("Name of the check."),
      app: z
        .number()
        .int()
        .positive()
        .nullable()
        .default(null)
        .describe("Id of the App that must report it; without it any."),
    }),
  ])
  .transform((value) => (typeof value === "string" ? { name: value, app: null } : value));

/**
 * Files that decide how code is checked, who must review it, or what an agent does. A change to these is never only a change
 * of code.
 */
const defaultProtectedPaths = [
  "baton.yaml",
  ".github/**",
  ".gitlab-ci.yml",
  ".circleci/**",
  ".ci/**",
  "**/Jenkinsfile*",
  "azure-pipelines*.yml",
  "{.,}appveyor.yml",
  ".{travis,cirrus,drone,woodpecker}.{yml,yaml}",
  ".{buildkite,semaphore,woodpecker,gitea,forgejo,tekton}/**",
  "bitbucket-pipelines.yml",
  "cloudbuild.{yml,yaml}",
  "**/CODEOWNERS",
  "**/.gitattributes",
  "**/.gitmodules",
  // The server and the credentials of Git LFS.
  "**/.lfsconfig",
  ".husky/**",
  ".githooks/**",
  ".pre-commit-config.yaml",
  "lefthook.{yml,yaml}",
  // Starts programs on a person's machine.
  ".devcontainer/**",
  "**/AGENTS.md",
  "**/CLAUDE.md",
  "**/GEMINI.md",
  "**/.{cursorrules,windsurfrules,clinerules}",
  "**/.mcp.json",
  "**/opencode.json",
  "**/.{claude,codex,cursor,gemini,opencode}/**",
] as const;

/** Names become parts of branches, keys and tables. */
const ruleName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, "a name of lower-case letters, digits and hyphens, at most 40");

const withInputs = z.record(z.string().min(1).max(100), z.union([z.string().max(10_000), z.number(), z.boolean()]));

const deadlineMinutes = z
  .number()
  .int()
  .min(1)
  .max(43_200)
  .nullable()
  .default(null)
  .describe(
    "Minutes after its start at which people want the result. The earliest deadline goes first among waiting agents with one priority. An agent without one counts as due an hour after it began to wait, so it does not wait forever. A deadline ends nothing. Default: none.",
  );

const scheduleSchema = z.strictObject({
  name: ruleName.describe("Name of the schedule, for `/baton schedule run NAME`; its branch is named so, too."),
  cron: z
    .string()
    .max(100)
    .describe(
      "When it runs: minute, hour, day of the month, month, day of the week. Example: `0 3 * * 1-5`. `@daily` and the like work, too.",
    ),
  timeZone: z
    .string()
    .refine(isTimeZone, "a time zone, for example `Europe/Berlin`")
    .default("UTC")
    .describe(
      "Time zone of `cron`. A time that the change of clocks leaves out runs once after it; one that comes twice runs once.",
    ),
  process: z.string().min(1).describe("Process to run: one of Baton's own or of `.github/baton/processes`."),
  with: withInputs
    .default({})
    .describe(
      "Input of the process. `instructions` is what an agent is asked to do; other keys are inputs of a YAML process.",
    ),
  budgetUsd: usd
    .nullable()
    .default(null)
    .describe("Most that one run of it may spend, in USD. Default: `budget.runUsd`."),
  harness: z.string().min(1).nullable().default(null).describe("Coding agent to use. Default: `harness.default`."),
  priority: z
    .enum(priorities)
    .default("low")
    .describe(
      "Priority of the run's agents when agents wait for each other. An agent waits for none of lower priority. Runs that people start are `normal`.",
    ),
  deadlineMinutes,
  paths: z
    .array(glob)
    .max(20)
    .default([])
    .describe(
      "Files and folders that the run is about, for a monorepo. The agent is told to work there. It starts in the root of the repository, because builds read files around a folder. A change of another file needs a person, as one of `protectedPaths`. Instructions of other folders are not read. Empty: the whole repository.",
    ),
  overlap: z
    .enum(["skip", "queue"])
    .default("skip")
    .describe(
      "When the run before it is still active: `skip` leaves this time out, `queue` starts one run when the other has ended.",
    ),
  catchUp: z
    .enum(["latest", "none"])
    .default("latest")
    .describe("After a time without Baton: `latest` runs the latest missed time once, `none` runs none of them."),
  jitterMinutes: z
    .number()
    .int()
    .min(0)
    .max(720)
    .default(5)
    .describe(
      "Minutes over which repositories with the same `cron` are spread. Each repository always gets the same delay.",
    ),
});

const triggerSchema = z.strictObject({
  name: ruleName.describe("Name of the rule; no schedule has the same."),
  on: z
    .enum(triggerEvents)
    .describe(
      "Event that it is about. `push`, `workflow_run.failed` and `check_run.failed` are those of the default branch; `release.published`, `repository_dispatch` and `workflow_dispatch` of the repository; `http` a signed request to the App.",
    ),
  if: z
    .string()
    .min(1)
    .max(1_000)
    .nullable()
    .default(null)
    .describe(
      "Condition, an expression over `event` and `actor`: `event.label == 'baton'`. One that cannot be evaluated is false. Default: none.",
    ),
  changed: z
    .array(glob)
    .max(listMax)
    .default([])
    .describe(
      "For `push`: files and folders, one of which must have changed. They bound only the start, not the work. Empty: one of `paths`, and without `paths` any.",
    ),
  paths: z
    .array(glob)
    .max(listMax)
    .default([])
    .describe(
      "Files and folders that the run is about, as in `schedules`: they bound its work. A `push` rule without `changed` also starts only for a change of one of them. Empty: the whole repository.",
    ),
  process: z.string().min(1).describe("Process to run: one of Baton's own or of `.github/baton/processes`."),
  with: withInputs.default({}).describe("Input of the process, as in `schedules`."),
  budgetUsd: usd
    .nullable()
    .default(null)
    .describe("Most that one run of it may spend, in USD. Default: `budget.runUsd`."),
  harness: z.string().min(1).nullable().default(null).describe("Coding agent to use. Default: `harness.default`."),
  priority: z.enum(priorities).default("normal").describe("Priority of the run's agents, as in `schedules`."),
  deadlineMinutes,
  key: z
    .string()
    .min(1)
    .max(200)
    .nullable()
    .default(null)
    .describe(
      "Text with expressions: events with the same text start one run. Example: `${{ event.sha }}`. Default: each event by itself.",
    ),
  maxPerHour: z
    .number()
    .int()
    .min(1)
    .max(limits.triggerStartsPerHourMax)
    .default(10)
    .describe("Most runs that this rule starts in an hour. Events beyond that are counted and start nothing."),
  openTo: z
    .strictObject({
      contributors: z
        .boolean()
        .default(false)
        .describe("People who contributed to this repository before, for issues and pull requests of their own."),
      bots: z.array(z.number().int().positive()).max(listMax).default([]).describe("Ids of bot users."),
    })
    .prefault({})
    .describe(
      "Others whose events start the rule without a permission, for a process that changes nothing: `explore`, `plan`, `review`, `verify`. The run has the permission of the person who last changed this file, and the rule's budget.",
    ),
});

const patternRule = z.strictObject({
  id: ruleName.describe("Name of the rule."),
  text: z.string().min(1).max(500).nullable().default(null).describe("Text to find, as it stands."),
  regex: z
    .string()
    .min(1)
    .max(500)
    .nullable()
    .default(null)
    .describe("Regular expression to find instead (POSIX extended), within one line."),
  ast: z
    .string()
    .min(1)
    .max(500)
    .nullable()
    .default(null)
    .describe(
      "Syntax to find instead, with `$NAME` for any node: `console.log($$$)`. JavaScript, TypeScript, CSS and HTML. Needs `@ast-grep/napi` among the repository's devDependencies, installed by `sandbox.setup`.",
    ),
  message: z.string().min(1).max(500).describe("Says what is wrong and what to write instead. The agent reads it."),
  severity: z.enum(severities).default("warning").describe("How much it weighs in the choice."),
  paths: z.array(glob).max(listMax).default([]).describe("Globs of files to search. Empty: all."),
});

const notRun = (how: string) =>
  z
    .enum(["auto", "pass", "fail"])
    .default("auto")
    .describe(
      `Weight of a check that ${how}. \`auto\`: Baton ignores it next to a successful check; alone it is not green. \`pass\`: it counts as green. \`fail\`: it counts as red.`,
    );

/** Strictest first. The stricter of the operator's and the repository's mode counts. */
export const sandboxModes = ["require", "prefer", "off"] as const;

const sandboxSchema = z.strictObject({
  mode: z
    .enum(sandboxModes)
    .nullable()
    .default(null)
    .describe(
      "`require`: no agent starts without a working sandbox. `prefer`: agents use the sandbox if the machine has one, and Baton says so if it has none. `off`: no sandbox. The operator sets the least that is allowed with BATON_SANDBOX. Default: what the operator set.",
    ),
  network: z
    .array(z.string().min(1).max(260))
    .max(listMax)
    .default([])
    .describe(
      "Hosts that agents and setup commands may reach, as `host`, `host:port` or `*.host`, and presets for package registries: `npm`, `pip`, `go`, `rust`, `maven`, `gradle`, `debian`, `github`. Everything else is denied, except models, which agents reach through Baton.",
    ),
  setup: z
    .array(z.string().min(1).max(4_000))
    .max(20)
    .default([])
    .describe(
      "Shell commands that Baton runs in the worktree before the agent, inside the sandbox, with the network above and without keys. Example: `npm ci`.",
    ),
});

const priceSchema = z.strictObject({
  input: usd.describe("USD per million uncached input tokens."),
  output: usd.describe("USD per million output tokens."),
  cacheRead: usd.describe("USD per million tokens read from the cache."),
  cacheWrite: usd.describe("USD per million tokens written to the cache."),
});

export const settingsSchema = z
  .strictObject({
    version: z.literal(1).default(1).describe("Version of this file's format."),
    process: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        "Process of `/baton run` without a name. Without it: `issue-to-pr` on issues, `address-review` on pull requests.",
      ),
    harness: z
      .strictObject({
        default: z
          .string()
          .min(1)
          .default("claude-code")
          .describe(`Coding agent to use: ${alternatives(builtInHarnesses)}.`),
        model: z.string().min(1).nullable().default(null).describe("Model to use. Default: the harness's own default."),
        models: z
          .array(z.string().min(1))
          .max(listMax)
          .default([])
          .describe(
            "Models that agents may use, by the name in their requests. Baton refuses all others before they cost anything. Empty: any. Some agents use a small second model; list that model, too.",
          ),
        fallback: z
          .array(z.string().min(1))
          .max(listMax)
          .default([])
          .describe(
            "Harnesses that take over, in this order, when a harness is missing, has no valid key or quota, fails, or crashes. Each one continues from the work of the previous one and learns why that one stopped.",
          ),
        prefer: z
          .enum(["listed", "cheapest"])
          .default("listed")
          .describe(
            "`listed`: `default` first, then `fallback`. `cheapest`: the harness with the lowest expected cost, based on earlier steps and prices.",
          ),
        profile: z
          .string()
          .min(1)
          .default("full")
          .describe(
            "Limits on the steps that agents of a run may do: `full`, `read-only`, `plan-only`, `verify-only`, or one of `profiles`.",
          ),
        command: z
          .array(z.string())
          .max(listMax)
          .default([])
          .describe(
            "Program and arguments of the harness `command`, in place of the operator's own; refused unless they set BATON_REPOSITORY_COMMANDS=allow. It reads the prompt on standard input and edits files in its working directory.",
          ),
      })
      .prefault({})
      .describe("Which coding agent does the work."),
    models: z
      .strictObject({
        any: modelOrTier.describe("Model of roles without one below."),
        plan: modelOrTier.describe("Model that plans."),
        implement: modelOrTier.describe("Model that makes the change."),
        repair: modelOrTier.describe("Model that repairs red checks."),
        address: modelOrTier.describe("Model that addresses review comments."),
        review: modelOrTier.describe("Model that reviews."),
        verify: modelOrTier.describe("Model that verifies."),
      })
      .prefault({})
      .describe(
        "Model of a step by its role: a name, or `fast`, `standard` or `strong`. Baton prefers a listed harness that serves the named model. Other harnesses use their own models.",
      ),
    tiers: z
      .record(z.string().min(1), tierSchema)
      .default({})
      .describe("Models for `fast`, `standard`, and `strong` of a harness, by its name. They replace Baton's own."),
    profiles: z
      .record(z.string().min(1), profileSchema)
      .default({})
      .describe("Profiles of your own, by name, for `harness.profile`. Names of Baton's own cannot be redefined."),
    mcp: z
      .record(toolServerName, toolServerSchema)
      .default({})
      .describe(
        "Servers of the Model Context Protocol whose tools agents may use, by name. Harnesses without MCP support ignore this.",
      ),
    budget: z
      .strictObject({
        runUsd: usd
          .default(limits.budgetUsdDefault)
          .describe("Most that one run may spend, in USD. `/baton budget +2` tops a run up."),
        maxUsd: usd.default(25).describe("Most that a run may be given by `--budget` and top-ups together, in USD."),
        dayUsd: usd
          .nullable()
          .default(null)
          .describe(
            "Most that all runs of this repository may spend in one day together, in USD. Steps that cost money wait for the next day. Without it only each run is bounded.",
          ),
        timeZone: z
          .string()
          .refine(isTimeZone, "is not a time zone. Example: `Europe/Berlin`.")
          .default("UTC")
          .describe("Time zone in which the day of `dayUsd` begins and ends, for example `Europe/Berlin`."),
        childShare: z
          .number()
          .gt(0)
          .max(1)
          .default(0.8)
          .describe(
            "Part of a run's remaining budget that its child runs get, unless the process names a share. Child runs that are open at the same time divide it evenly. The run keeps the rest.",
          ),
        warnAt: z
          .array(z.number().gt(0).lt(1))
          .max(10)
          .default([...limits.budgetWarnings])
          .describe("Fractions of the budget at which Baton posts a warning in the thread."),
        downgradeAt: z
          .number()
          .min(0)
          .max(1)
          .default(0.9)
          .describe(
            "Fraction of the budget after which steps use the cheapest model of their harness, unless a person named a model. 1: never.",
          ),
        unknownPrice: z
          .enum(["stop", "allow"])
          .default("stop")
          .describe(
            "`stop`: Baton stops an agent whose model has no known price. `allow`: the agent continues, and Baton does not count the money. A price is known from Baton, `prices`, or the agent.",
          ),
      })
      .prefault({})
      .describe(
        "Money. Baton reserves it before each step and settles it afterwards. At the limit Baton keeps the work, and the run waits.",
      ),
    prices: z
      .record(z.string().min(1), priceSchema)
      .default({})
      .describe("Prices of models that Baton does not know, or that you pay differently, by the model's name."),
    limits: z
      .strictObject({
        attemptUsd: usd.default(2).describe("Reservation for one attempt of an agent, in USD."),
        attemptTokens: z
          .number()
          .int()
          .min(1_000)
          .nullable()
          .default(null)
          .describe(
            "Maximum tokens of all kinds in one attempt of an agent. Baton's proxy counts them; without the proxy, the agent's own report counts. At the limit Baton stops the attempt, and another attempt continues from its work. Baton sends a request only if it fits: each new byte counts as one token until the service has counted it. Default: only money limits an attempt.",
          ),
        turns: z
          .number()
          .int()
          .min(1)
          .max(500)
          .default(80)
          .describe(
            "Maximum turns of an agent in one attempt. For a harness without its own count, Baton counts requests to models.",
          ),
        agentMinutes: z.number().min(0.1).max(350).default(60).describe("Most minutes of one attempt."),
        silenceMinutes: z
          .number()
          .min(0.05)
          .max(60)
          .default(10)
          .describe("An agent that prints nothing for this many minutes is stopped and tried again."),
        repairAttempts: z
          .number()
          .int()
          .min(0)
          .max(10)
          .default(limits.repairAttemptsDefault)
          .describe("Number of repair attempts for red checks."),
        reviewRounds: z
          .number()
          .int()
          .min(0)
          .max(limits.reviewRoundsMax)
          .default(5)
          .describe("Number of times Baton addresses requested changes."),
        parallel: z
          .number()
          .int()
          .min(1)
          .max(limits.parallelEffectsPerRunMax)
          .default(4)
          .describe("Number of agents of one run that work at the same time."),
      })
      .prefault({})
      .describe("Bounds of a run."),
    race: z
      .strictObject({
        contestants: z
          .number()
          .int()
          .min(2)
          .max(limits.parallelEffectsPerRunMax)
          .default(4)
          .describe("Number of agents in one race."),
        checks: z
          .enum(["pull-request", "push"])
          .default("pull-request")
          .describe(
            "Place where CI judges a contestant. `pull-request`: a draft pull request of its branch, which Baton closes after the race. `push`: the pushed branch alone, if your CI runs on every push.",
          ),
      })
      .prefault({})
      .describe("`/baton race`: several agents make the same change, the best one becomes the pull request."),
    gates: z
      .strictObject({
        required: z
          .array(check)
          .max(listMax)
          .default([])
          .describe(
            "Checks that must be green, by name, or by `name` and `app` id, in addition to the checks that GitHub requires. If there are none, every check must be green.",
          ),
        ignore: z
          .array(z.string().min(1))
          .max(listMax)
          .default([])
          .describe("Checks that do not count, by name, unless GitHub requires them."),
        neutral: notRun("ends neutral"),
        skipped: notRun("was skipped"),
        review: z
          .enum(["off", "advisory", "required"])
          .default("off")
          .describe(
            "A check run `Baton review` on each head that the process `review` read. `required`: it fails while a blocking finding stands. `advisory`: it is neutral instead. Require the check in the branch's rules to block the merge. `/baton override` passes it with a reason.",
          ),
        noChecks: z.enum(["pass", "fail"]).default("fail").describe("Result when no check appears for the commit."),
        appearSeconds: z
          .number()
          .min(0)
          .max(3_600)
          .default(limits.ciAppearMs / 1000)
          .describe("How long to wait for the first check to appear, in seconds."),
        timeoutMinutes: z
          .number()
          .min(1)
          .max(4_320)
          .default(limits.ciTimeoutMs / 60_000)
          .describe("How long to wait for checks to end, in minutes."),
        dispatch: z
          .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.ya?ml$/, "the file name of a workflow"))
          .max(listMax)
          .default([])
          .describe(
            "Workflows, by file name, that Baton starts after each push with a job's own `GITHUB_TOKEN`. GitHub starts no workflow for such a push. Each workflow needs `on: workflow_dispatch`. An App ignores this, because its pushes start CI by themselves.",
          ),
      })
      .prefault({})
      .describe("When checks count as green, always on the exact head commit."),
    review: z
      .strictObject({
        event: z
          .enum(["comment", "request-changes"])
          .default("comment")
          .describe(
            "Kind of review that Baton posts. `request-changes`: a review with blocking findings requests changes, and GitHub then blocks the merge where a rule says so. Baton never approves.",
          ),
        comments: z
          .number()
          .int()
          .min(1)
          .max(50)
          .default(20)
          .describe("Most comments of Baton that stand on one pull request at a time. The worst findings go first."),
        nits: z.boolean().default(true).describe("`false`: no comments about matters of taste."),
        secondLook: z
          .boolean()
          .default(true)
          .describe(
            "`true`: a second agent with a cheap model checks each finding, and Baton posts only the findings that it confirms.",
          ),
        secondLookUsd: usd.gt(0).default(0.2).describe("Most that the second look of one review may spend, in USD."),
        instructions: z
          .array(
            z.strictObject({
              paths: z.array(glob).max(listMax).default([]).describe("Files that it is about. Empty: all."),
              text: z.string().min(1).max(4_000).describe("Says what reviewers look for in these files."),
            }),
          )
          .max(50)
          .default([])
          .describe(
            "Instructions for the process `review`, always those of the base branch. A pull request cannot change them for its own review.",
          ),
      })
      .prefault({})
      .describe("The process `review`, which comments on the lines of a pull request."),
    approvals: z
      .strictObject({
        self: z
          .enum(["deny", "allow"])
          .default("deny")
          .describe(
            "Whether the person who started a run, wrote the pull request or pushed last may approve it. The thread says so when it happens.",
          ),
        count: z.number().int().min(1).max(10).default(1).describe("How many people must approve a pull request."),
        people: z
          .array(login)
          .max(listMax)
          .default([])
          .describe("Logins whose approval counts. Empty: everybody with the permission below."),
        permission: z
          .enum(["write", "maintain", "admin"])
          .default("write")
          .describe("Permission that an approver needs."),
        reviewers: z.array(login).max(listMax).default([]).describe("Logins to request a review from."),
        teams: z
          .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, "a team's slug, without its organisation"))
          .max(listMax)
          .default([])
          .describe("Teams to request a review from, by slug."),
      })
      .prefault({})
      .describe("People whose review passes the breakpoint."),
    breakpoints: z
      .strictObject({
        plan: askOr("auto").default("auto").describe("`ask`: a person approves the plan before anything is changed."),
        review: askOr("auto")
          .default("ask")
          .describe("`ask`: a person's review of the exact head passes the run. `auto`: no review is needed."),
        protectedPaths: askOr("deny").default("ask").describe("Action when the work changes protected paths."),
      })
      .prefault({})
      .describe("Where a run stops and asks."),
    protectedPaths: z
      .array(protectedGlob)
      .max(listMax)
      .default([...defaultProtectedPaths])
      .describe(
        "Globs of files that change only with a person's approval: CI, ownership, git's own files, and the configuration of agents and of Baton.",
      ),
    merge: z
      .union([
        z.enum(["auto", "manual"]),
        z.strictObject({
          mode: z
            .enum(["auto", "manual"])
            .default("manual")
            .describe("`auto`: Baton merges the approved head once all gates hold."),
          method: z.enum(["merge", "squash", "rebase"]).default("squash").describe("How to merge."),
        }),
      ])
      .default("manual")
      .transform((value) => (typeof value === "string" ? { mode: value, method: "squash" as const } : value))
      .describe("`manual` leaves merging to you; `auto` merges the approved head."),
    commits: z
      .strictObject({
        signOff: z
          .boolean()
          .default(false)
          .describe(
            "`true` adds `Signed-off-by` of Baton's bot to every commit of a run, for repositories that require a sign-off.",
          ),
      })
      .prefault({})
      .describe("Commits of a run. Author and committer are Baton's bot."),
    secrets: z
      .strictObject({
        allow: z
          .array(glob)
          .max(listMax)
          .default([])
          .describe(
            "Globs of files in which strings that look like tokens are allowed, for example test fixtures. Baton's own secrets are never allowed.",
          ),
      })
      .prefault({})
      .describe("The scan of commits before each push. A secret in a commit stops the push."),
    executor: z
      .enum(["local", "actions"])
      .default("local")
      .describe(
        "Where agents work: `local` on the machine of Baton, `actions` on runners of GitHub Actions, started by `workflow_dispatch` of `runnerWorkflow`.",
      ),
    sandbox: z
      .union([z.enum(sandboxModes), sandboxSchema])
      .default({ mode: null, network: [], setup: [] })
      .transform((value) => (typeof value === "string" ? { mode: value, network: [], setup: [] } : value))
      .describe(
        "Where agents and shell steps run: confined to their worktree, with the listed hosts as their only network. A bare word sets the mode.",
      ),
    runnerWorkflow: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.ya?ml$/, "the file name of a workflow in .github/workflows")
      .default("baton-runner.yml")
      .describe("File name of the workflow that performs effects with `executor: actions`; only jobs of it may."),
    branchPrefix: z
      .string()
      .regex(
        /^(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)))[a-z0-9][a-z0-9._/-]{0,60}$/,
        "the beginning of a branch name: lower-case letters, digits and . _ / - only",
      )
      .default("baton/")
      .describe("Prefix of the branches that Baton pushes."),
    retention: z
      .strictObject({
        compactDays: z
          .number()
          .int()
          .min(1)
          .max(3_650)
          .default(14)
          .describe(
            "Days after the end of a run until its state is compacted: prompts, transcripts and long texts go; status, cost, decisions and the journal's chain stay.",
          ),
        days: z
          .number()
          .int()
          .min(1)
          .max(3_650)
          .default(90)
          .describe("Days after the end of a run until its state is removed."),
      })
      .prefault({})
      .describe("How long Actions mode keeps the state of runs in `refs/baton/*`. An App keeps its journals."),
    schedules: z
      .array(scheduleSchema)
      .max(50)
      .default([])
      .describe(
        "Runs that start by the clock. Their thread is the dashboard issue. They have the permission of the person who last changed this file on the default branch, and that person cannot approve their work.",
      ),
    sweep: z
      .strictObject({
        detectors: z
          .array(
            z.strictObject({
              use: z
                .enum(["sarif", "command", "pattern", "alerts", "flaky", "stale", "coverage", "agent"])
                .describe(
                  "Detector. `sarif`, `command` and `coverage` read what the command leaves; `pattern` has `rules`; `alerts` and `flaky` ask GitHub; `agent` asks a model; `stale` needs nothing. See docs/guides/sweeps.md.",
                ),
              command: z
                .string()
                .min(1)
                .max(4_000)
                .nullable()
                .default(null)
                .describe(
                  "Shell command that makes the report, in the sandbox, for `sarif`, `command` and `coverage`.",
                ),
              report: z
                .string()
                .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).{1,200}$/, "a path from the root of the repository")
                .nullable()
                .default(null)
                .describe("File that the command writes the report to. Default: what it prints."),
              rules: z
                .array(patternRule)
                .max(50)
                .default([])
                .describe("For `pattern`: the pattern that must not occur in the repository's files."),
              ask: z
                .string()
                .min(1)
                .max(4_000)
                .nullable()
                .default(null)
                .describe(
                  "For `agent`: what it looks for. It reads 30 files a day, another part of the tree each day.",
                ),
              paths: z.array(glob).max(listMax).default([]).describe("For `agent`: globs of files. Empty: all."),
              maxUsd: usd.default(0.1).describe("For `agent`: most that one look may spend, in USD."),
              reuse: z
                .boolean()
                .default(true)
                .describe(
                  "`true`: a result counts again for the same files, for a day, and for 30 days with `pattern`. `false`: the detector runs in each sweep. For a command that asks the network, such as an audit of dependencies.",
                ),
            }),
          )
          .max(20)
          .default([])
          .describe("Detectors of the process `sweep`, in this order."),
        openPullRequests: z
          .number()
          .int()
          .min(1)
          .max(50)
          .default(2)
          .describe("With so many open pull requests of sweeps, a sweep proposes nothing more."),
        findings: z.number().int().min(1).max(50).default(5).describe("Most findings that one pull request fixes."),
        changedLines: z
          .number()
          .int()
          .min(1)
          .max(100_000)
          .default(500)
          .describe("Most lines that one pull request adds and removes, together. A larger change is not proposed."),
        dayUsd: usd
          .nullable()
          .default(null)
          .describe(
            "Most that all sweeps of the repository may spend in a day (UTC), in USD. Default: no limit of its own.",
          ),
        monthUsd: usd
          .nullable()
          .default(null)
          .describe("Most that all sweeps may spend in a calendar month (UTC), in USD. Default: no limit of its own."),
      })
      .prefault({})
      .describe("The process `sweep`, which a schedule runs: detectors find, an agent fixes, people review."),
    triggers: z
      .array(triggerSchema)
      .max(50)
      .default([])
      .describe(
        "Runs that events start. The person or bot who caused the event needs the permission that the command would need. In Actions mode the workflow has to start on these events: `baton init` writes them.",
      ),
    dashboard: z
      .boolean()
      .default(true)
      .describe(
        "`true`: Baton keeps one issue that shows schedules, their next times, results and cost. Baton opens the issue when a schedule needs it. `false`: no such issue, and `schedules` do not run.",
      ),
    commands: z
      .strictObject({
        run: permission.default("write").describe("Permission needed to start, retry or pay for a run."),
        steer: permission
          .default("write")
          .describe("Permission needed to approve, reject, answer, cancel, pause and resume."),
        allow: z
          .partialRecord(z.enum(commandNames), permission)
          .default({})
          .describe("Permission needed for single commands, before the two above: `allow: {budget: maintain}`."),
        bots: z
          .array(
            z.union([
              z.number().int().positive(),
              z.strictObject({
                id: z.number().int().positive().describe("Id of the bot user."),
                permission: permission.describe("Permission that it has for commands here."),
              }),
            ]),
          )
          .max(listMax)
          .default([])
          .describe(
            "Bots that may give commands, as `{ id, permission }`; others are ignored. GitHub gives the bot of an App no permission, so it is written here. A bare id has what GitHub says.",
          ),
        mention: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/)
          .nullable()
          .default(null)
          .describe(
            "Name by which Baton is called: `@name run` reads as `/baton run`. An App is always called by its own name; Actions mode has none but this.",
          ),
      })
      .prefault({})
      .describe("Permissions that commands need."),
  })
  .describe("Configuration of Baton for one repository.");

export type ScheduleSettings = z.output<typeof scheduleSchema>;

export type TriggerSettings = z.output<typeof triggerSchema>;

export type Settings = z.output<typeof settingsSchema>;

export const defaultSettings: Settings = settingsSchema.parse({});
