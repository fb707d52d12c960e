/** What an agent says of itself, and what its processes do. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transcript } from "../../../../src/adapters/child/transcript.ts";
import { CommandReader, commandHarness } from "../../../../src/adapters/harness/command/harness.ts";
import { agentEnvironment } from "../../../../src/adapters/system/agent-environment.ts";
import { defaultSettings } from "../../../../src/config/schema.ts";
import { limits } from "../../../../src/core/limits.ts";
import { priceUsage } from "../../../../src/money/cost.ts";
import type { HarnessRequest, HarnessResult } from "../../../../src/ports/harness.ts";
import { Meter } from "../../../../src/runner/perform/meter.ts";
import { createFinder, createRedactor } from "../../../../src/text/redact.ts";
import type { Draw } from "../../draw.ts";
import { type Cause, defineCause } from "../cause.ts";

const model = "own-model";
interface UsageLine {
  input: unknown;
  output: unknown;
  costUsd: unknown;
}
const line = ({ input, output, costUsd }: UsageLine): string =>
  JSON.stringify({ type: "usage", model, input, output, costUsd });

/** What a run is charged for lines of usage that an agent printed. */
function charged(lines: readonly string[]): { usd: number } {
  const meter = new Meter("command", defaultSettings, 2);
  const reader = new CommandReader();
  for (const one of lines) for (const event of reader.take(one, "stdout")) meter.take(event);
  const said = reader.end();
  meter.settle({
    ...said,
    ok: true,
    exitCode: 0,
    signal: null,
    transcript: "",
    transcriptTruncated: false,
    durationMs: 1,
  } as HarnessResult);
  return { usd: meter.spentUsd() };
}

const falling = defineCause<number[]>({
  name: "usage that falls",
  surface: "agent",
  guard: "src/runner/perform/meter.ts M3: a report is cumulative, the largest counts",
  fixed: [
    [1, 0.0001],
    [1, 0],
  ],
  draw: (draw) => {
    const costs = Array.from({ length: draw.whole(1, 4) }, () => draw.whole(10, 190) / 100);
    return [...costs.toSorted((a, b) => a - b), draw.whole(0, 9) / 1_000];
  },
  attack(costs, guarded) {
    const lines = costs.map((costUsd) => line({ input: Math.round(costUsd * 1_000), output: 1, costUsd }));
    // Without the guard each report takes the place of the one before.
    const { usd } = charged(guarded ? lines : lines.slice(-1));
    const most = Math.max(...costs);
    return usd < most - 1e-9 ? `charged ${usd}, ${most} was reported` : null;
  },
});

/** The same arithmetic, of amounts that nobody looked at. */
function priced({ input, output, costUsd }: UsageLine): number {
  const tokens = { input: input as number, output: output as number, cacheRead: 0, cacheWrite: 0 };
  const used = priceUsage(
    { harness: "command", model: "claude-sonnet-4-5", tokens, costUsd: costUsd as number | null },
    defaultSettings.prices,
  );
  return used.costUsd ?? 0;
}

const noAmounts = defineCause<UsageLine>({
  name: "amounts that are none",
  surface: "agent",
  guard: "src/adapters/harness/command/harness.ts, src/runner/perform/meter.ts M3: finite, not negative, bounded",
  fixed: [
    { input: 10, output: 10, costUsd: -5 },
    { input: -1_000_000, output: 10, costUsd: null },
    { input: 10, output: 10, costUsd: 1e300 },
  ],
  draw: (draw) => {
    const odd = (): unknown =>
      draw.one<unknown>([
        -draw.whole(1, 1e9),
        1e300,
        1.7976931348623157e308,
        "1",
        [],
        {},
        `${draw.word()}`,
        true,
        draw.whole(1, 99) + 0.5,
        -0.0001,
      ]);
    return draw.one<UsageLine>([
      { input: odd(), output: draw.whole(0, 99), costUsd: 0.5 },
      { input: draw.whole(0, 99), output: odd(), costUsd: 0.5 },
      { input: draw.whole(0, 99), output: draw.whole(0, 99), costUsd: odd() },
      { input: odd(), output: odd(), costUsd: odd() },
    ]);
  },
  attack(usage, guarded) {
    const real = line({ input: 1_000, output: 1_000, costUsd: 1 });
    const { usd } = guarded ? charged([real, line(usage)]) : { usd: 1 + priced(usage) };
    if (!Number.isFinite(usd) || usd > 1e9) return `charged ${usd}`;
    return usd < 1 - 1e-9 ? `charged ${usd} after 1 was reported` : null;
  },
});

const canary = "c4n4ry-0f-the-host";
const hostNames = [
  "DATABASE_URL",
  "GITHUB_TOKEN",
  "BATON_APP_PRIVATE_KEY",
  "BATON_WEBHOOK_SECRET",
  "ANTHROPIC_API_KEY",
  "AWS_SECRET_ACCESS_KEY",
  "NPM_TOKEN",
  "SSH_AUTH_SOCK",
  "NODE_OPTIONS",
  "LD_PRELOAD",
  "LD_LIBRARY_PATH",
  "GIT_SSH_COMMAND",
  "GIT_CONFIG_GLOBAL",
  "GIT_EXTERNAL_DIFF",
  "PYTHONSTARTUP",
  "BASH_ENV",
  "ENV",
  "PERL5OPT",
  "RUBYOPT",
  "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  "ACTIONS_RUNTIME_TOKEN",
  "HTTP_PROXY",
  "KUBECONFIG",
  "DOCKER_HOST",
  "npm_config__authToken",
];
const environment = defineCause<string[]>({
  name: "variables of the host in an agent's environment",
  surface: "agent",
  guard: "src/adapters/system/agent-environment.ts H2: a list of names that are passed on",
  fixed: [["GITHUB_TOKEN"], ["NODE_OPTIONS", "LD_PRELOAD"]],
  draw: (draw) => [...draw.shuffled(hostNames).slice(0, draw.whole(1, 4)), draw.word(8).toUpperCase()],
  attack(names, guarded) {
    const host = { PATH: "/usr/bin", ...Object.fromEntries(names.map((name) => [name, `${canary}-${name}`])) };
    const homePath = mkdtempSync(join(tmpdir(), "baton-home-"));
    try {
      // Without the guard all of the host's variables are on the list.
      const variables = guarded ? {} : host;
      const env = agentEnvironment({ homePath, attemptMarker: "m", variables }, {}, host);
      const found = Object.keys(env).filter((name) => `${(env as Record<string, string>)[name]}`.includes(canary));
      return found.length === 0 ? null : `the agent has ${found.join(", ")}`;
    } finally {
      rmSync(homePath, { recursive: true, force: true });
    }
  },
});

interface Ran {
  result: HarnessResult;
  seconds: number;
  /** What the program wrote into its folder. */
  file(name: string): string;
}

/** A program that Baton runs as an agent. */
async function run(
  script: string,
  change: { timeoutMs?: number; silenceMs?: number; own?: boolean; abortMs?: number } = {},
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "baton-agent-"));
  const command = ["sh", "-c", script];
  const harness = commandHarness(change.own === true ? { command: ["true"], keys: {} } : { command, keys: {} });
  const request: HarnessRequest = {
    cwd: folder,
    homePath: folder,
    systemPrompt: "",
    prompt: "work",
    access: "write",
    model: null,
    resumeSessionId: null,
    maxTurns: null,
    maxUsd: null,
    timeoutMs: change.timeoutMs ?? 20_000,
    silenceMs: change.silenceMs ?? 20_000,
    attemptMarker: folder.split("-").at(-1) ?? "m",
    variables: {},
    ...(change.own === true ? { command } : {}),
  };
  const begun = performance.now();
  const abort = new AbortController();
  const timer = change.abortMs === undefined ? undefined : setTimeout(() => abort.abort("enough"), change.abortMs);
  try {
    const result = await harness.run(request, () => {}, abort.signal);
    const files = new Map(["pid", "ran"].map((name) => [name, contentOf(join(folder, name))]));
    return { result, seconds: (performance.now() - begun) / 1_000, file: (name) => files.get(name) ?? "" };
  } finally {
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

const lies = defineCause<{ lines: string[]; end: string }>({
  name: "end that looks good and was not",
  surface: "agent",
  guard: "src/adapters/harness/run-harness.ts H1: success is judged by what was said and by how the process ended",
  fixed: [
    { lines: ['{"type":"error","message":"failed"}', '{"type":"result","text":"done"}'], end: "exit 0" },
    { lines: ['{"type":"result","text":"done"}'], end: "exit 3" },
    { lines: ['{"type":"result","text":"done"}'], end: "kill -9 $$" },
  ],
  draw: (draw) => {
    const good = `{"type":"result","text":"${draw.word()}"}`;
    const bad = `{"type":"error","message":"${draw.word()}"${draw.one(["", ',"status":401', ',"status":500'])}}`;
    const order = draw.one([[bad, good], [good, bad], [bad, good, good], [good]]);
    const failing = draw.one([`exit ${draw.whole(1, 255)}`, "kill -9 $$", "kill -TERM $$", "kill -SEGV $$"]);
    return { lines: order, end: order.includes(bad) ? draw.one(["exit 0", failing]) : failing };
  },
  async attack({ lines, end }, guarded) {
    if (!guarded) {
      // The same reader, whose last word alone counts: an error before it is forgotten, and so is how the process ended.
      const reader = new CommandReader();
      const last = lines.findLast((one) => one.includes('"result"'));
      if (last !== undefined) reader.take(last, "stdout");
      return reader.end().error === null ? "taken for a success" : null;
    }
    const { result } = await run(`${lines.map((one) => `printf '%s\\n' '${one}'`).join("\n")}\n${end}`);
    return result.ok ? "taken for a success" : null;
  },
  atOnce: 3,
  slow: true,
});

const hourMs = 3_600_000;

const endless = defineCause<{ script: string; bound: "timeoutMs" | "silenceMs" }>({
  name: "agent that never ends",
  surface: "agent",
  guard: "src/adapters/child/run.ts: time and silence are bounded, TERM and then KILL",
  fixed: [
    { script: "trap '' TERM INT HUP; while :; do sleep 1; done", bound: "timeoutMs" },
    { script: "sleep 600", bound: "silenceMs" },
  ],
  draw: (draw) => ({
    script: draw.one([
      `trap '' ${draw.one(["TERM", "INT", "HUP", "QUIT"])}; sleep 60${draw.whole(0, 9)}`,
      `sleep 60${draw.whole(0, 9)} & wait`,
      `(trap '' HUP; sleep 60${draw.whole(0, 9)}) & exec sleep 300`,
      `while :; do sleep 0.${draw.whole(1, 9)}; done`,
      `exec 0</dev/null; exec sleep 30${draw.whole(0, 9)}`,
      `kill -STOP $$; : ${draw.word(3)}`,
    ]),
    bound: draw.one(["timeoutMs", "silenceMs"]),
  }),
  async attack({ script, bound }, guarded) {
    // With bounds that nobody reaches it is still there after the time, and only a cancel ends it.
    if (!guarded) {
      const { seconds } = await run(script, { timeoutMs: hourMs, silenceMs: hourMs, abortMs: 600 });
      return seconds >= 0.6 ? "it goes on" : null;
    }
    const { result, seconds } = await run(script, { [bound]: 300 });
    return result.ok || seconds > 15 ? `ended after ${seconds.toFixed(1)} s` : null;
  },
  atOnce: 4,
  slow: true,
});

const daemons = defineCause<string>({
  name: "process that outlives its attempt",
  surface: "agent",
  guard: "src/adapters/child: supervisor, group and marker; SECURITY.md says where only a sandbox ends it",
  fixed: ["setsid SLEEP", "nohup SLEEP", 'env -i PATH="$PATH" setsid SLEEP'],
  draw: (draw) =>
    draw
      .one([
        "SLEEP",
        "setsid SLEEP",
        "nohup SLEEP",
        "setsid setsid SLEEP",
        "(SLEEP &)",
        "sh -c 'SLEEP & disown' ",
        "trap '' TERM HUP; SLEEP",
        'env -i PATH="$PATH" SLEEP',
        'env -i PATH="$PATH" setsid SLEEP',
        "env -u BATON_ATTEMPT setsid SLEEP",
        "setsid sh -c '(SLEEP &) & exit'",
      ])
      .replace("SLEEP", () => `SLEEP${draw.whole(100, 999)}`),
  async attack(start, guarded) {
    const seconds = /SLEEP(\d*)/.exec(start)?.[1] || "301";
    const sleeper = `sh -c 'echo $$ > '$PWD'/pid; exec sleep ${seconds}'`;
    const line = start.includes("'")
      ? start.replace(/SLEEP\d*/, `sleep ${seconds}`)
      : start.replace(/SLEEP\d*/, sleeper);
    const script = `(${line}) >/dev/null 2>&1 </dev/null &\nfor i in 1 2 3 4 5 6 7 8 9 10; do [ -s pid ] && break; sleep 0.05; done\necho done`;
    if (!guarded)
      return await outlives(`cd /tmp; ${script.replaceAll("$PWD", "/tmp").replace("echo done", `sleep 60`)}`, 400);
    const { file } = await run(script);
    const pid = Number(file("pid"));
    if (!Number.isSafeInteger(pid) || pid <= 1) return null;
    return isAlive(pid) ? `process ${pid} lives on` : null;
  },
  atOnce: 3,
  slow: true,
});

async function outlives(script: string, ms: number): Promise<string | null> {
  const { spawn } = await import("node:child_process");
  const child = spawn("sh", ["-c", script], { stdio: "ignore", detached: true });
  const ended = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)));
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms));
  const over = await Promise.race([ended, late]);
  if (!over && child.pid !== undefined) {
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }
  return over ? null : "it goes on";
}

function isAlive(pid: number): boolean {
  try {
    // One that only waits to be asked how it ended is gone.
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1];
    if (state === undefined || state === "Z" || state === "X") return false;
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

function keptAlone(line: string): number {
  const transcript = new Transcript();
  transcript.add(line);
  return transcript.end().transcript.length;
}

const floods = defineCause<{ lines: number; width: number; stream: "1" | "2" }>({
  name: "output without measure",
  surface: "agent",
  guard: "src/adapters/child/transcript.ts: the transcript keeps head and tail within its bound",
  fixed: [
    { lines: 5, width: 700_000, stream: "1" },
    { lines: 40_000, width: 100, stream: "1" },
  ],
  draw: (draw) => {
    const width = draw.one([100, 5_000, 300_000, 1_000_000, draw.whole(10_000, 900_000)]);
    return { lines: Math.ceil(3_000_000 / width) + draw.whole(0, 3), width, stream: draw.one(["1", "2"]) };
  },
  async attack({ lines, width, stream }, guarded) {
    const script = `awk 'BEGIN { line = sprintf("%${width}s", "x"); for (i = 0; i < ${lines}; i++) print line }' >&${stream}`;
    const { result } = await run(script);
    // Without the guard each line is kept as the transcript keeps one alone.
    const kept = guarded ? result.transcript.length : lines * keptAlone("x".repeat(width));
    return kept > limits.transcriptBytesMax * 1.1 ? `${kept} characters are kept` : null;
  },
  atOnce: 3,
  slow: true,
});

const ownCommands = defineCause<string>({
  name: "repository's own program without the operator's word",
  surface: "repository",
  guard: "src/adapters/harness/command/harness.ts: `harness.command` counts only where the operator allows it",
  fixed: ["echo yes > ran"],
  draw: (draw) =>
    `${draw.one(["echo", "printf %s"])} ${draw.word()} > ran${draw.one(["", "; true", " && exit 0", " || :"])}`,
  async attack(script, guarded) {
    const { file } = await run(script, guarded ? { own: true } : {});
    return file("ran") === "" ? null : "the repository's program ran";
  },
  atOnce: 3,
  slow: true,
});

const secret = "Kx7+Qm/92vBnLw=Tz0RpYd4sHcJ8aGe";
const redact = createRedactor({ secrets: [secret] });
const redactNothing = createRedactor({ secrets: [] });
const findKnown = createFinder([secret]);
const bytes = Buffer.from(secret);
const codes = (separator: string, base: 10 | 16): string =>
  [...bytes].map((one) => one.toString(base).padStart(base === 16 ? 2 : 1, "0")).join(separator);
const spellings: Record<string, (draw: Draw) => string> = {
  plain: () => secret,
  base64: () => bytes.toString("base64"),
  base64url: () => bytes.toString("base64url"),
  hex: () => bytes.toString("hex"),
  HEX: () => bytes.toString("hex").toUpperCase(),
  URL: () => encodeURIComponent(secret),
  reversed: () => [...secret].reverse().join(""),
  "split by lines": () => [...secret].join("\n"),
  "hex with separators": (draw) => codes(draw.one([":", " ", "-", ", ", "\n"]), 16),
  "\\u escapes": () =>
    [...secret].map((one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`).join(""),
  "&#N;": () => [...secret].map((one) => `&#${one.codePointAt(0)};`).join(""),
  "decimal bytes": (draw) => codes(draw.one([",", ", ", " "]), 10),
  "quoted lines": (draw) =>
    (secret.match(/.{1,8}/g) ?? []).map((part) => `${draw.one(["> ", "| ", "# "])}${part}`).join("\n"),
  base32: () => base32(bytes),
  "UTF-16": () => Buffer.from(secret, "utf16le").toString("base64"),
  "base64 in more": (draw) => Buffer.from(`${draw.word()}:${secret}`).toString("base64"),
};

function base32(given: Uint8Array): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...given].map((one) => one.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
}

const encoded = defineCause<{ how: string; text: string }>({
  name: "known secret in another spelling",
  surface: "agent",
  guard: "src/text/redact.ts H4: the forms in which values leak",
  fixed: Object.keys(spellings).map((how) => ({ how, text: "before # after" })),
  draw: (draw) => ({
    how: draw.one(Object.keys(spellings)),
    text: `${draw.word()}${draw.one([" ", "=", ": ", '"', "\n"])}#${draw.one([" ", '"', "\n", ";"])}${draw.word()}`,
  }),
  attack({ how, text }, guarded) {
    // The same draw for the same input, so that the spelling can be looked for.
    const spelled =
      spellings[how]?.({ one: (list: readonly string[]) => list[0] ?? "", word: () => "user" } as unknown as Draw) ??
      secret;
    const given = text.replace("#", () => spelled);
    // Without the guard no value is known.
    const shown = (guarded ? redact : redactNothing)(given);
    return shown.includes(spelled) ? `${how} is shown` : null;
  },
});

const shapes: readonly ((draw: Draw) => string)[] = [
  (draw) => `ghp_${alphanumeric(draw, 36)}`,
  (draw) => `ghs_${alphanumeric(draw, 36)}`,
  (draw) => `github_pat_${alphanumeric(draw, 22)}_${alphanumeric(draw, 59)}`,
  (draw) => `sk-ant-api03-${alphanumeric(draw, 60)}`,
  (draw) => `sk-proj-${alphanumeric(draw, 48)}`,
  (draw) => `AIza${alphanumeric(draw, 35)}`,
  (draw) => `AKIA${alphanumeric(draw, 16).toUpperCase()}`,
  (draw) => `xoxb-${draw.whole(1e9, 9e9)}-${alphanumeric(draw, 24)}`,
  (draw) => `glpat-${alphanumeric(draw, 20)}`,
  (draw) => `npm_${alphanumeric(draw, 36)}`,
  (draw) => `pypi-${alphanumeric(draw, 60)}`,
  (draw) => `sk_live_${alphanumeric(draw, 24)}`,
  (draw) => `SG.${alphanumeric(draw, 22)}.${alphanumeric(draw, 43)}`,
  (draw) => `hf_${alphanumeric(draw, 34)}`,
  (draw) => `-----BEGIN RSA PRIVATE KEY-----\n${alphanumeric(draw, 64)}\n-----END RSA PRIVATE KEY-----`,
  (draw) => `https://user:${alphanumeric(draw, 12)}@example.com/x`,
  (draw) => `Authorization: Bearer ${alphanumeric(draw, 30)}1`,
];

function alphanumeric(draw: Draw, length: number): string {
  return Array.from({ length }, () =>
    draw.one([..."ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"]),
  ).join("");
}

const tokenShapes = defineCause<string>({
  name: "token that nobody told Baton of",
  surface: "agent",
  guard: "src/text/redact.ts H5: shapes of well-known tokens",
  fixed: [`ghp_${"a1".repeat(18)}`],
  draw: (draw) => draw.one(shapes)(draw),
  attack(token, guarded) {
    const text = `found ${token} in a file`;
    // Without the guard only known values are looked for.
    const isShown = guarded ? redact(text).includes(token) : findKnown(text).length === 0;
    return isShown ? "the token is shown" : null;
  },
});

export const agentCauses: readonly Cause[] = [
  falling,
  noAmounts,
  environment,
  lies,
  endless,
  daemons,
  floods,
  ownCommands,
  encoded,
  tokenShapes,
];
