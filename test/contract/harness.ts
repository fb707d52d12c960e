/**
 * The contract of every harness adapter, whatever the executable behind it does. Misbehaving executables:
 * `test/fakes/misbehaving`.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findByMarker } from "../../src/adapters/child/survivors.ts";
import { limits } from "../../src/core/limits.ts";
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";

export interface HarnessSubject {
  name: string;
  /** The adapter over this executable. */
  create(program: string): Harness;
  /** The variable in which the adapter passes the CLI its key, and the key that `create` uses. */
  key: { name: string; value: string };
  /** Other variables that the adapter may set, by exact name. */
  variables: string[];
  /** A successful stream of the CLI. */
  stream: string;
  /** The result of that stream. */
  expected: Pick<HarnessResult, "text" | "sessionId" | "usage">;
  /** The CLI prints its session's id only in its last line. Until then, the adapter's own id counts. */
  sessionAtEnd?: true;
  /** Whether exit code 0 alone is a success, without a word. */
  silentSuccess: boolean;
  /** The program's permissions and parameters as patterns over `tell`, one line a fact. Unset: not at its start. */
  launch?: {
    model: string;
    systemPrompt: RegExp;
    readOnly: RegExp;
    write: RegExp;
    /** null: it uses none. */
    toolServers: RegExp | null;
  };
  installLine: RegExp;
}

const misbehaving = fileURLToPath(new URL("../fakes/misbehaving/", import.meta.url));

const alwaysAllowed =
  "PATH LANG LC_ALL TZ TERM SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS HOME TMPDIR CI BATON_ATTEMPT BATON_TEST_STREAM BATON_TEST_KEY_NAME GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_TERMINAL_PROMPT GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0".split(
    " ",
  );

interface Launch {
  arguments: string[];
  env: Record<string, string>;
  input: string;
  files: Record<string, string>;
}

/** One line for each argument (with the one before), variable, file of the home, and the input. */
function tell({ arguments: words, env, input, files }: Launch): string {
  const flat = (text: string): string => text.replaceAll("\n", " ");
  return [
    ...words.map((word, index) => `argument ${flat(`${words[index - 1] ?? ""} ${word}`)}`),
    ...Object.entries(env).map(([name, value]) => `env ${name}=${flat(value)}`),
    ...Object.entries(files).map(([path, text]) => `file ${path.split("/").at(-1)}: ${flat(text)}`),
    `input ${flat(input)}`,
  ].join("\n");
}

export function harnessContract(subject: HarnessSubject): void {
  describe(`harness contract: ${subject.name}`, () => {
    let directory: string;
    let cwd: string;
    let marker: string;
    let events: HarnessEvent[];

    beforeEach(() => {
      directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-contract-")));
      cwd = join(directory, "work");
      mkdirSync(cwd);
      mkdirSync(join(directory, "home"));
      writeFileSync(join(directory, "stream.jsonl"), subject.stream);
      marker = `contract/${directory}/1`;
      events = [];
    });
    // H3, after every test.
    afterEach(async () => {
      vi.unstubAllEnvs();
      const left = await findByMarker(marker);
      if (left.length > 0) throw new Error(`Left running: ${left.join(", ")}`);
      rmSync(directory, { recursive: true, force: true });
    });

    const run = (
      program: string,
      request: Partial<HarnessRequest> = {},
      signal = new AbortController().signal,
      onEvent: (event: HarnessEvent) => void = () => {},
    ): Promise<HarnessResult> =>
      subject.create(program.includes("/") ? program : join(misbehaving, program)).run(
        {
          cwd,
          homePath: join(directory, "home"),
          systemPrompt: "You are an implementer.",
          prompt: "Say hi.",
          access: "write",
          model: null,
          resumeSessionId: null,
          maxTurns: null,
          maxUsd: null,
          timeoutMs: 30_000,
          silenceMs: 30_000,
          attemptMarker: marker,
          ...request,
          variables: {
            BATON_TEST_STREAM: join(directory, "stream.jsonl"),
            BATON_TEST_KEY_NAME: subject.key.name,
            ...request.variables,
          },
        },
        (event) => {
          events.push(event);
          onEvent(event);
        },
        signal,
      );
    /** The result of a stream without a last word. */
    const unsaid = subject.silentSuccess ? undefined : "BATON_HARNESS_OUTPUT";
    const isReady = (event: HarnessEvent): boolean => event.type === "warning" && event.text === "ready";
    const abortWhenReady = (program: string): Promise<HarnessResult> => {
      const controller = new AbortController();
      return run(program, {}, controller.signal, (event) => {
        if (isReady(event)) controller.abort();
      });
    };
    const alive = (pid: number): boolean => {
      const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
      return stat !== "" && !/\) Z /.test(stat);
    };

    it("edits a file, streams its events, reports session, text and usage", async () => {
      const result = await run("edits.mjs");
      expect(result).toMatchObject({ ok: true, error: null, exitCode: 0, signal: null, ...subject.expected });
      expect(readFileSync(join(cwd, "hello.txt"), "utf8")).toBe("hi\n");
      expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["session", "text", "tool"]));
      expect(events.some(({ type }) => type === "usage")).toBe(subject.expected.usage.length > 0);
      expect(result.transcript).toContain(subject.expected.sessionId);
      expect(result.transcriptTruncated).toBe(false);
    });

    it.runIf(subject.launch !== undefined)(
      "model, system text, access and servers of tools are in its start",
      async () => {
        const { launch } = subject;
        if (launch === undefined) return;
        const started = async (access: "read-only" | "write"): Promise<string> => {
          const toolServers = [
            { name: "words", command: ["/bin/words-server", "--quiet"], variables: { WORDS: "some" } },
          ];
          await run("records-launch.mjs", {
            access,
            model: "model-nine",
            systemPrompt: "Rule seven: be brief.",
            toolServers,
          });
          return tell(JSON.parse(readFileSync(join(cwd, "launch.json"), "utf8")) as Launch);
        };
        const reading = await started("read-only");
        expect(reading).toContain(launch.model);
        expect(reading).toMatch(launch.systemPrompt);
        expect(reading).toMatch(launch.readOnly);
        expect(reading).not.toMatch(launch.write);
        if (launch.toolServers === null) expect(reading).not.toContain("words-server");
        else expect(reading).toMatch(launch.toolServers);
        const writing = await started("write");
        expect(writing).toMatch(launch.write);
        expect(writing).not.toMatch(launch.readOnly);
        // Only the environment contains the key.
        for (const line of writing.split("\n"))
          if (line.includes(subject.key.value)) expect(line).toMatch(new RegExp(`^env ${subject.key.name}=`));
      },
    );

    it("gives the prompt on standard input and closes it", async () => {
      const prompt = `Say hi.\n${"word ".repeat(60_000)}`;
      await run("edits.mjs", { prompt });
      expect(readFileSync(join(cwd, "prompt.txt"), "utf8")).toContain(prompt);
    });

    it("a missing executable is told with the line that installs it", async () => {
      const result = await run(join(directory, "no-such-program"));
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_MISSING" } });
      expect(result.error?.message).toMatch(subject.installLine);
    });

    it("exit code 0 without a word is no success by itself", async () => {
      const result = await run("does-nothing.sh", { prompt: "long ".repeat(200_000) });
      expect(result).toMatchObject({ ok: subject.silentSuccess, text: "", usage: [] });
      expect(result.error?.code).toBe(unsaid);
    });

    it("a crash keeps its last words and its exit code", async () => {
      const result = await run("crashes.mjs");
      expect(result).toMatchObject({ ok: false, exitCode: 3, error: { code: "BATON_HARNESS_CRASHED" } });
      expect(result.error?.message).toMatch(/exit code 3.*no space left on device/);
      expect(result.transcript).toContain("no space left on device");
    });

    it("silence is ended", async () => {
      const result = await run("hangs.sh", { silenceMs: 300 });
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_HUNG" }, signal: "SIGTERM" });
    });

    it("talking does not help against the time limit", async () => {
      const result = await run("chatters.mjs", { timeoutMs: 3_000, silenceMs: 2_500 });
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_TIMEOUT" }, signal: "SIGTERM" });
    });

    it("an abort stops it, and is no failure of the harness", async () => {
      expect(await abortWhenReady("hangs.sh")).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
    });

    it("an abort before the start starts nothing", async () => {
      const result = await run("edits.mjs", {}, AbortSignal.abort());
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_CANCELLED" } });
      expect(existsSync(join(cwd, "hello.txt"))).toBe(false);
    });

    it("what ignores TERM is killed after the grace", async () => {
      const result = await abortWhenReady("ignores-term.mjs");
      expect(result).toMatchObject({ error: { code: "BATON_CANCELLED" }, signal: "SIGKILL" });
      expect(result.durationMs).toBeGreaterThanOrEqual(limits.killGraceMs);
      expect(events).toContainEqual({ type: "warning", text: "no" });
    });

    it("a child in its own process group does not outlive a good end, nor delay it", async () => {
      const result = await run("leaves-child.mjs");
      expect(result).toMatchObject({ ok: true, ...subject.expected });
      expect(alive(Number(readFileSync(join(cwd, "child.pid"), "utf8")))).toBe(false);
    });

    it("a child in its own process group does not outlive an abort", async () => {
      const result = await abortWhenReady("hangs-with-child.mjs");
      expect(result.error?.code).toBe("BATON_CANCELLED");
      expect(alive(Number(readFileSync(join(cwd, "child.pid"), "utf8")))).toBe(false);
    });

    it("a child that hid its environment cannot hold the attempt by its pipes, nor outlive it", async () => {
      const result = await run("hides-child.mjs");
      expect(alive(Number(readFileSync(join(cwd, "child.pid"), "utf8")))).toBe(false);
      expect(result).toMatchObject({ ok: true, ...subject.expected });
      expect(result.durationMs).toBeLessThan(5_000);
    });

    it.each([
      ["lines", "yes"],
      ["one line", "no"],
    ])("endless output (%s) is stopped, and only its begin and end are kept", async (_, newlines) => {
      const result = await run("prints-endlessly.mjs", { variables: { BATON_TEST_NEWLINES: newlines } });
      expect(result).toMatchObject({ ok: false, error: { code: "BATON_HARNESS_OUTPUT" }, transcriptTruncated: true });
      expect(result.transcript.length).toBeLessThan(limits.transcriptBytesMax + 1_000);
      expect(JSON.stringify(events).length).toBeLessThan(limits.transcriptBytesMax);
      expect(result.text.length).toBeLessThan(limits.transcriptBytesMax);
    });

    it("half a last line is no end", async () => {
      const result = await run("cuts-last-line.mjs");
      expect(result.error?.code).toBe(unsaid);
      expect(result.sessionId).toEqual(subject.sessionAtEnd === true ? expect.any(String) : subject.expected.sessionId);
    });

    it("garbage between good lines changes nothing", async () => {
      const result = await run("prints-garbage.mjs");
      expect(result).toMatchObject({ ok: true, sessionId: subject.expected.sessionId, usage: subject.expected.usage });
    });

    it("its key and any token are removed from everything that comes out", async () => {
      const result = await run("leaks.mjs");
      const out = JSON.stringify([result, events]);
      expect(out).toContain("[redacted]");
      expect(out).not.toContain(subject.key.value);
      expect(out).not.toContain(Buffer.from(subject.key.value).toString("base64"));
      expect(out).not.toContain("ghp_");
      expect(events.some((event) => event.type === "text" && event.text.includes("[redacted]"))).toBe(true);
    });

    it("its environment is a list of what it may see", async () => {
      for (const name of ["GITHUB_TOKEN", "GH_TOKEN", "PRIVATE_KEY", "WEBHOOK_SECRET", "DATABASE_URL", "NODE_OPTIONS"])
        vi.stubEnv(name, "must-not-be-seen");
      vi.stubEnv("ANTHROPIC_API_KEY", "must-not-be-seen");
      vi.stubEnv("OPENAI_API_KEY", "must-not-be-seen");
      await run("prints-environment.mjs");
      const text = readFileSync(join(cwd, "environment.json"), "utf8");
      expect(text).not.toContain("must-not-be-seen");
      const seen = Object.keys(JSON.parse(text) as Record<string, string>);
      const allowed = [...alwaysAllowed, subject.key.name, ...subject.variables];
      expect(seen.filter((name) => !allowed.includes(name))).toEqual([]);
      expect(seen).toContain("BATON_ATTEMPT");
    });
  });
}
