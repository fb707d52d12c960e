/** The launcher. A program behaves the same no matter which process starts it. Only the cost differs. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { PassThrough } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { childrenBy } from "./children.ts";
import { itself, type Launched, type LaunchSpec, launcherBySize, oneSmallLauncher, smallLauncher } from "./launcher.ts";
import { launcherSource } from "./launcher-source.ts";
import { processIds } from "./process-table.ts";

const path = process.env["PATH"] ?? "/usr/bin:/bin";
const start = async (script: string, options: Partial<LaunchSpec> = {}): Promise<Launched> =>
  (await smallLauncher()).start({
    command: ["bash", "-c", script],
    cwd: "/",
    env: { PATH: path },
    input: null,
    ...options,
  });

it("a process of any size: a small one starts its programs itself, a large one has them started", async () => {
  const isLarge = process.memoryUsage.rss() > 150 * 1024 * 1024;
  expect((await launcherBySize()) === itself).toBe(!isLarge);
  const ballast = Buffer.alloc(160 * 1024 * 1024, 1);
  expect((await launcherBySize()).pid).not.toBe(process.pid);
  expect(ballast.length).toBeGreaterThan(0);
});

it("outputs of many at once come whole, each to its call", async () => {
  const outputs = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const child = await start(`head -c ${index * 10_000} /dev/zero; echo end ${index} >&2`);
      const [out, err, exit] = await Promise.all([
        buffer(child.stdout ?? new PassThrough()),
        text(child.stderr ?? new PassThrough()),
        child.exited,
      ]);
      return [out.length, err, exit.exitCode];
    }),
  );
  expect(outputs).toEqual(Array.from({ length: 40 }, (_, index) => [index * 10_000, `end ${index}\n`, 0]));
});

it("a conversation: input as it comes, its end, and an answer between", async () => {
  const input = new PassThrough();
  const child = await start('while read -r line; do echo "heard $line"; done; echo over', { input });
  const out = child.stdout ?? new PassThrough();
  const heard: string[] = [];
  const first = Promise.withResolvers<void>();
  out.on("data", (chunk: Buffer) => {
    heard.push(chunk.toString());
    first.resolve();
  });
  out.resume();
  input.write("one\n");
  await first.promise;
  expect(heard.join("")).toBe("heard one\n");
  input.end("two\n");
  expect(await child.exited).toEqual({ exitCode: 0, signal: null, missing: false });
  await expect.poll(() => heard.join("")).toBe("heard one\nheard two\nover\n");
});

it.each([
  ["a program that is not there", { command: ["/nowhere/program"] }, true],
  ["a file that is no program", { command: ["/etc/passwd"] }, true],
  ["a directory that is not there", { cwd: "/nowhere" }, true],
  ["a null byte", { command: ["bash", "-c", "a\0b"] }, false],
])("%s", async (_, options, missing) => {
  const child = await start("exit 0", options);
  expect(child.pid).toBeUndefined();
  expect(await child.exited).toMatchObject({ exitCode: null, missing });
});

it("its environment has nothing of Baton's, and a program gets exactly its own", async () => {
  const { pid } = await smallLauncher();
  const names = readFileSync(`/proc/${pid}/environ`, "utf8").match(/(?<=^|\0)\w+/g);
  expect(names).toEqual(["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"]);
  const child = await start("/usr/bin/env", { command: ["/usr/bin/env"], env: { ONLY: "this" } });
  expect(await text(child.stdout ?? new PassThrough())).toBe("ONLY=this\n");
});

it.each([
  ["no word", "x".repeat(300)],
  ["a wrong word", "00000000-0000-0000-0000-000000000000 1 stdout\n"],
])("a stranger at its door with %s is put out, and nobody gets his bytes", async (_, bytes) => {
  const child = await start("sleep 0.3; echo mine");
  const addresses = ownAddresses();
  expect(addresses.length).toBeGreaterThan(0);
  const closed = addresses.map(async (address) => {
    const socket = connect({ path: `\0${address}` });
    socket.on("error", () => {});
    socket.write(bytes);
    await new Promise((resolve) => socket.once("close", resolve));
  });
  expect(await text(child.stdout ?? new PassThrough())).toBe("mine\n");
  await Promise.all(closed);
});

it("one that does not answer holds no call longer than its caller waits, and what it starts later is ended", async () => {
  const { pid } = await smallLauncher();
  process.kill(pid, "SIGSTOP");
  const stop = new AbortController();
  const marker = randomUUID();
  const call = childrenBy(smallLauncher).call({
    command: ["bash", "-c", `exec -a ${marker} sleep 600`],
    cwd: "/",
    env: { PATH: path },
    timeoutMs: 60_000,
    outputBytesMax: 1_000,
    signal: stop.signal,
  });
  setImmediate(() => stop.abort());
  try {
    expect(await call).toMatchObject({ aborted: true, exitCode: null });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  expect(await text((await start("echo again")).stdout ?? new PassThrough())).toBe("again\n");
  await expect.poll(() => processIds().filter((one) => commandOf(one).includes(marker))).toEqual([]);
});

it.each<[string, { runs: boolean; answers: boolean }]>([
  ["that answers at last", { runs: false, answers: true }],
  ["whose other programs still run", { runs: true, answers: true }],
  ["that never answers again", { runs: false, answers: false }],
])("a late launcher %s ends, and so does what it starts late", async (_, { runs, answers }) => {
  const launcher = oneSmallLauncher(400);
  const late = await launcher();
  const spec = { cwd: "/", env: { PATH: path } };
  const input = new PassThrough();
  const other = runs ? await late.start({ ...spec, command: ["cat"], input }) : null;
  const marker = randomUUID();
  process.kill(late.pid, "SIGSTOP");
  const command = ["bash", "-c", `exec -a ${marker} sleep 600`];
  expect((await late.start({ ...spec, command, input: null })).pid).toBeUndefined();
  const next = await launcher();
  expect(next.pid).not.toBe(late.pid);
  if (answers) process.kill(late.pid, "SIGCONT");
  if (other !== null) {
    input.end("still here");
    expect(await text(other.stdout ?? new PassThrough())).toBe("still here");
    expect(await other.exited).toMatchObject({ exitCode: 0 });
  }
  await expect.poll(() => isThere(late.pid), { timeout: 60_000 }).toBe(false);
  expect(processIds().filter((one) => commandOf(one).includes(marker))).toEqual([]);
  const again = await next.start({ ...spec, command: ["echo", "again"], input: null });
  expect(await text(again.stdout ?? new PassThrough())).toBe("again\n");
});

it("a source that was closed before its end ends the input", async () => {
  const input = new PassThrough();
  input.destroy();
  const child = await start("cat; echo over", { input });
  expect(await text(child.stdout ?? new PassThrough())).toBe("over\n");
});

it("a launcher that is killed takes what runs with it, and the next call gets another", async () => {
  const first = await smallLauncher();
  const child = await start("exec sleep 600");
  process.kill(first.pid, "SIGKILL");
  expect(await child.exited).toEqual({ exitCode: null, signal: "SIGKILL", missing: false });
  await expect.poll(() => isThere(child.pid)).toBe(false);
  const second = await smallLauncher();
  expect(second.pid).not.toBe(first.pid);
  expect(await text((await start("echo again")).stdout ?? new PassThrough())).toBe("again\n");
});

/** Other workers of the tests have launchers, too. */
function ownAddresses(): string[] {
  const own = new Set(
    readdirSync("/proc/self/fd").flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${name}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, inode = "", address = ""] = /(\d+) @(baton-launcher-[0-9a-f-]+)$/.exec(line) ?? [];
      return own.has(inode) ? [address] : [];
    });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

function isThere(pid: number | undefined): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

it("a program that ended before the launcher looked at it is known by its outputs all the same", async () => {
  const untilEnded = `const child = require("node:child_process");
    const real = child.spawn;
    child.spawn = (...given) => {
      const started = real(...given);
      while (!/\\) Z/.test(require("node:fs").readFileSync("/proc/" + started.pid + "/stat", "latin1")));
      return started;
    };`;
  const address = `\0baton-test-${randomUUID()}`;
  const server = createServer((socket) => socket.resume()).listen(address);
  const launcher = spawn(process.execPath, ["-e", launcherSource.replace('"use strict";', untilEnded)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  try {
    await once(launcher, "message");
    const command = { command: ["true"], cwd: "/", env: { PATH: path }, input: null, isStream: false };
    launcher.send({ id: 1, ...command, address, word: "word" });
    const [told] = await once(launcher, "message");
    const pipe = expect.stringMatching(/^socket:\[\d+\]$/);
    expect(told).toMatchObject({ id: 1, born: { startTicks: expect.any(Number), pipes: [pipe, pipe] } });
  } finally {
    launcher.kill("SIGKILL");
    server.close();
  }
});
