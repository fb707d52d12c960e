/** `shell`: a command of the repository in its own workspace, with an agent's environment: no token, no key. */

import { join } from "node:path";
import type { z } from "zod";
import { children } from "../../adapters/child/children.ts";
import { agentEnvironment } from "../../adapters/system/agent-environment.ts";
import { readAgentFile } from "../../adapters/system/agent-files.ts";
import { shellInputSchema } from "../../core/effect.ts";
import { hasCode, toBatonError } from "../../core/errors.ts";
import type { Finding } from "../../core/finding.ts";
import type { Json } from "../../core/vocabulary.ts";
import type { FollowEnd } from "../../ports/child.ts";
import { detectorNamed } from "../../sweep/detectors/index.ts";
import type { Dependencies } from "../dependencies.ts";
import { repositoryAccess } from "../repository-access.ts";
import { settingsOf } from "../settings-of.ts";
import { confine, sandboxDecision } from "./confine.ts";
import { githubReport } from "./detect-source.ts";
import { attemptMarker, type WorkPerformer, workspaceName } from "./performer.ts";
import { reuseOf } from "./reuse.ts";

const outputCharactersMax = 20_000;
/** Size of a report file. A detector reads no more. */
const reportBytesMax = 64 * 1024 * 1024;
/** The journal contains these findings. */
const findingsKept = 300;

/** The findings of a detector in a report of GitHub. */
async function detectOfGithub(
  { github, dependencies, state }: Pick<Parameters<WorkPerformer["perform"]>[0], "github" | "dependencies" | "state">,
  detector: string,
): Promise<Detection> {
  const { redact, clock } = dependencies;
  try {
    const { text, notes, isPart } = await githubReport(github, state.thread.repository, detector);
    const found = detectorNamed(detector).read(text, { root: null, now: clock.now() });
    const kept = keep(found.findings, redact);
    const cut = isPart || found.findings.length > findingsKept;
    return { findings: kept, notes: [...notes, ...found.notes].map(redact), failed: false, ...(cut ? { cut } : {}) };
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_REPORT_INVALID")) throw thrown;
    return { findings: [], notes: [redact(toBatonError(thrown).message)], failed: true };
  }
}

interface Detection {
  findings: Finding[];
  notes: string[];
  failed: boolean;
  cut?: boolean;
}

function keep(findings: readonly Finding[], redact: (text: string) => string): Finding[] {
  return findings.slice(0, findingsKept).map((one) => ({
    ...one,
    rule: redact(one.rule),
    path: one.path === null ? null : redact(one.path),
    message: redact(one.message),
  }));
}

/**
 * The findings of a detector in a command's result. Baton reports an unreadable report, and never treats it as "nothing
 * found". @internal for tests
 */
export function detectIn(
  place: string,
  { detector, report, rules }: NonNullable<z.infer<typeof shellInputSchema>["detect"]>,
  end: Pick<FollowEnd, "transcript" | "transcriptTruncated" | "exitCode" | "signal">,
  { redact, clock }: Pick<Dependencies, "redact" | "clock">,
): Detection {
  const failed = (why: string) => ({ findings: [], notes: [redact(why)], failed: true });
  if (end.signal !== null) return failed(`\`${detector}\`: the command was ended by ${end.signal}.`);
  if (report === null && end.transcriptTruncated)
    return failed(`\`${detector}\`: the command printed more than is kept. Let it write a \`report\`.`);
  const bytes = report === null ? null : readAgentFile(place, join(place, report), reportBytesMax);
  if (report !== null && bytes === null)
    return failed(`\`${detector}\`: the command left no file \`${report}\`, or one of more than 64 MB.`);
  try {
    const text = bytes?.toString("utf8") ?? end.transcript;
    const meant = detectorNamed(detector);
    const options = { root: place, now: clock.now(), ...(rules === undefined ? {} : { rules }) };
    const { findings, notes } = meant.read(text, options);
    // Many tools exit with 1 when they find something. A tool that found nothing and exits with an error did not run.
    if (end.exitCode !== 0 && meant.needsZero === true) {
      const said = end.transcript.trimEnd().split("\n").at(-1)?.slice(0, 200) ?? "";
      return failed(`\`${detector}\`: it did not look everywhere (exit code ${end.exitCode}). ${said}`);
    }
    if (end.exitCode !== 0 && findings.length === 0)
      return failed(
        `\`${detector}\`: the command ended with exit code ${end.exitCode} and no finding that can be read.`,
      );
    const cut = findings.length > findingsKept;
    const more = cut ? [`${findings.length} findings; ${findingsKept} are kept.`] : [];
    const kept = keep(findings, redact);
    return { findings: kept, notes: [...notes, ...more].map(redact), failed: false, ...(cut ? { cut } : {}) };
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_REPORT_INVALID") && !(thrown instanceof RangeError)) throw thrown;
    return failed(toBatonError(thrown).message);
  }
}

export const shellPerformer: WorkPerformer = {
  estimateUsd: () => 0,
  async perform({ dependencies, state, effect, attempt, github, signal, report }) {
    const input = shellInputSchema.parse(effect.input);
    if (input.detect?.from === "github") {
      const startedAt = dependencies.clock.now();
      const detected = await detectOfGithub({ github, dependencies, state }, input.detect.detector);
      const durationMs = Math.max(0, dependencies.clock.now() - startedAt);
      const output = { exitCode: 0, signal: null, output: "", durationMs, detected: detected as unknown as Json };
      return { ok: true, output, usage: [] };
    }
    const settings = settingsOf(state);
    const reuse = await reuseOf(dependencies, github, { repository: state.thread.repository, input, settings });
    if (reuse?.known != null) {
      const { output, at } = reuse.known;
      return { ok: true, output: { ...output, durationMs: 0, reusedFrom: at }, usage: [] };
    }
    const access = await repositoryAccess(github, state.thread.repository, "read");
    const name = workspaceName(effect, attempt);
    await dependencies.workspaces.fetch(access, input.sha);
    const workspace = await dependencies.workspaces.create(access, { runId: state.runId, name, baseSha: input.sha });
    const marker = attemptMarker(dependencies, state, effect, attempt);
    const timeoutMs = Math.min(effect.timeoutMs ?? Number.POSITIVE_INFINITY, settings.limits.agentMinutes * 60_000);
    try {
      const confined = confine(dependencies, await sandboxDecision(dependencies, settings, null), {
        settings,
        workspace,
        harness: null,
        onDenied: (line) => report(line, []),
      });
      const end = await children.follow({
        command: input.command,
        cwd: workspace.path,
        env: agentEnvironment({ homePath: workspace.homePath, attemptMarker: marker, variables: {} }, {}),
        input: null,
        timeoutMs,
        silenceMs: timeoutMs,
        marker,
        signal,
        onLine: () => {},
        confinement: confined.confinement,
      });
      if (end.missing)
        return {
          ok: false,
          error: {
            code: "BATON_HARNESS_MISSING",
            message: `\`${input.command[0]}\` is not installed where Baton runs.`,
          },
          usage: [],
          kept: null,
        };
      if (end.timedOut)
        return {
          ok: false,
          error: {
            code: "BATON_TIMEOUT",
            message: `\`${input.command.join(" ")}\` did not end within ${Math.round(timeoutMs / 1_000)} s.`,
          },
          usage: [],
          kept: null,
        };
      if (end.denied !== null)
        return {
          ok: false,
          error: {
            code: "BATON_SANDBOX_LIMIT",
            message: `The sandbox stopped \`${input.command.join(" ")}\` at a limit: ${end.denied.kind} ${end.denied.name}.`,
          },
          usage: [],
          kept: null,
        };
      if (end.aborted)
        return {
          ok: false,
          error: { code: "BATON_CANCELLED", message: "The command was stopped." },
          usage: [],
          kept: null,
        };
      const detected =
        input.detect === undefined ? undefined : detectIn(workspace.path, input.detect, end, dependencies);
      const sandbox = confined.report();
      const output = dependencies.redact(end.transcript).slice(-outputCharactersMax);
      const made = {
        exitCode: end.exitCode,
        signal: end.signal,
        output,
        durationMs: end.durationMs,
        ...(detected === undefined ? {} : { detected: detected as unknown as Json }),
      };
      if (detected === undefined ? end.exitCode === 0 : !detected.failed) await reuse?.keep(made);
      return {
        ok: true,
        output: { ...made, ...(sandbox === undefined ? {} : { sandbox: sandbox as unknown as Json }) },
        usage: [],
      };
    } finally {
      await dependencies.workspaces.remove(access, { runId: state.runId, name });
    }
  },
};
