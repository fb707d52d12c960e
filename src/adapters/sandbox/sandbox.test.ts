/** One attempt in the real sandbox: its permissions, its end, and what is left of it. */
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { children } from "../child/children.ts";
import { type Attempt, newAttempt, whySkipped } from "./test-attempt.ts";

const sh = (script: string): string[] => ["/bin/sh", "-c", script];
const node = (script: string): string[] => [process.execPath, "-e", script];

describe.skipIf(whySkipped !== null)(`sandbox${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`, () => {
  let attempt: Attempt;
  beforeEach(async () => {
    attempt = await newAttempt();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await attempt.remove();
  });

  const output = async (...[command, changes]: Parameters<Attempt["run"]>): Promise<string> => {
    const end = await attempt.run(command, changes);
    return end.stdout.toString() + end.stderr.toString();
  };

  describe("the program", () => {
    it.each<[string, string[], number]>([
      ["success", sh("exit 0"), 0],
      ["a failure", sh("exit 7"), 7],
      ["a signal", sh("kill -TERM $$"), 128 + 15],
      ["a fault", sh("kill -SEGV $$"), 128 + 11],
      ["a program that is not there", ["/no/such/program"], 127],
      ["a name that is not on PATH", ["baton-no-such-program"], 127],
    ])("ends as outside: %s", async (_, command, status) => {
      expect((await attempt.run(command)).exitCode).toBe(status);
    });

    it("gets its arguments, input, directory, and environment as they are", async () => {
      const words = ["", "a b", "$HOME", "'\"\\", "é\n"];
      const script = `console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.NODE_OPTIONS, process.env.ODD, require("os").userInfo().homedir]))`;
      const env = { NODE_OPTIONS: "--max-old-space-size=300", ODD: "a=b\nc" };
      const text = await output([...node(script), ...words], { env });
      expect(JSON.parse(text)).toEqual([words, attempt.tree, env.NODE_OPTIONS, env.ODD, attempt.home]);
    });

    it("leaves variables of Node to the program: the bridge reads no certificates of theirs", async () => {
      const env = { NODE_EXTRA_CA_CERTS: "/nowhere.pem" };
      // Node warns of a file that it cannot read, and the shell does not.
      expect(await output(sh('echo "$NODE_EXTRA_CA_CERTS"'), { env })).toBe("/nowhere.pem\n");
    });

    it("leaves files that Baton can read, change and remove", async () => {
      await attempt.run(
        sh("umask 077; mkdir -p a/b; echo x >a/b/c; chmod 000 a/b/c; ln -s /etc/shadow a/link; mkfifo a/pipe"),
      );
      expect((await stat(join(attempt.tree, "a/b/c"))).uid).toBe(process.getuid?.());
      await chmod(join(attempt.tree, "a/b/c"), 0o600);
      await writeFile(join(attempt.tree, "a/b/c"), "y");
      await attempt.remove();
      await expect(lstat(attempt.base)).rejects.toThrow("ENOENT");
    });

    it("commits with git over objects that are only readable", async () => {
      const git = async (...words: string[]) =>
        await children.call({
          command: ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", ...words],
          cwd: attempt.base,
          env: { PATH: process.env["PATH"] ?? "" },
          timeoutMs: 30_000,
          outputBytesMax: 1_000_000,
        });
      const source = join(attempt.base, "source");
      await git("init", "--quiet", source);
      await git("-C", source, "commit", "--quiet", "--allow-empty", "--message", "one");
      await git("clone", "--quiet", "--shared", source, join(attempt.tree, "clone"));
      const commit = sh(
        "cd clone && echo x >file && git add file && git -c user.name=a -c user.email=a@b commit --quiet -m two && git log --format=%s",
      );
      expect(await output(commit, { policy: { readable: [join(source, ".git")] } })).toBe("two\none\n");
      expect(await readdir(join(source, ".git"))).not.toContain("index.lock");
    });

    it("sees no open file of Baton's", async () => {
      const script = `console.log(require("fs").readdirSync("/proc/self/fd").map((n) => { try { return require("fs").readlinkSync("/proc/self/fd/" + n) } catch { return "" } }).filter((n) => n.startsWith("/") && n !== "/dev/null").join())`;
      expect(await output(node(script))).toBe("\n");
    });

    it("is not root, has no capability, and cannot gain any", async () => {
      const text = await output(sh("id -u; grep -E '^(Cap|NoNewPrivs)' /proc/self/status"));
      expect(text).toMatch(/^1000\n/);
      expect(text).toMatch(/NoNewPrivs:\t1/);
      expect([...text.matchAll(/^Cap\w+:\t(\d+)$/gm)].map(([, set]) => Number(set))).toEqual([0, 0, 0, 0, 0]);
    });
  });

  describe("the end", () => {
    const ended = async (script: string, changes: Parameters<Attempt["run"]>[1]): Promise<string> => {
      await attempt.run(node(script), { killGraceMs: 10_000, ...changes });
      return await readFile(join(attempt.tree, "end"), "utf8").catch(() => "");
    };
    const ready = `require("fs").writeFileSync("ready", "");`;
    const abortWhenReady = (): AbortSignal => {
      const controller = new AbortController();
      void seen(join(attempt.tree, "ready")).then(() => controller.abort());
      return controller.signal;
    };

    it("is polite first: the program may write what it has", async () => {
      const script = `process.on("SIGTERM", () => { require("fs").appendFileSync("end", "polite"); process.exit(0); }); setInterval(() => {}, 1000); ${ready}`;
      expect(await ended(script, { signal: abortWhenReady() })).toBe("polite");
    });

    it("comes by force to a program that does not listen", async () => {
      const script = `process.on("SIGTERM", () => require("fs").appendFileSync("end", "heard")); setInterval(() => {}, 1000); ${ready}`;
      expect(await ended(script, { signal: abortWhenReady(), killGraceMs: 300 })).toMatch(/^(heard)+$/);
      await expectNothingLeft(attempt);
    });

    it.each([
      ["a cleared environment and a session", `env -i PATH="$PATH" setsid sh -c "$LOOP" >/dev/null 2>&1 </dev/null &`],
      ["no marker and a session", `(unset BATON_ATTEMPT; setsid sh -c "$LOOP" >/dev/null 2>&1 </dev/null &)`],
      ["two forks", `(setsid sh -c 'sh -c "$LOOP" & exit' &) >/dev/null 2>&1`],
      ["signals that it ignores", `(trap '' TERM HUP INT; nohup setsid sh -c "$LOOP" >/dev/null 2>&1 &)`],
      ["a directory that is gone", `mkdir gone; cd gone; rmdir ../gone; setsid sh -c "$LOOP" >/dev/null 2>&1 &`],
    ])("daemon-without-marker-survives, confined: nothing outlives the attempt with %s", async (_, start) => {
      const beat = join(attempt.tree, "beat");
      const LOOP = `while :; do echo x >>${beat}; sleep 0.02; done`;
      await attempt.run(sh(`${start}\nwhile [ ! -s ${beat} ]; do sleep 0.02; done`), { env: { LOOP } });
      await expectNothingLeft(attempt);
      expect((await stat(beat)).size).toBeGreaterThan(0);
    });

    it("leaves no socket and no directory of its own", async () => {
      vi.stubEnv("TMPDIR", attempt.base);
      expect((await attempt.run(sh("true"))).exitCode).toBe(0);
      expect((await readdir(attempt.base)).toSorted()).toEqual(["home", "tree"]);
    });
  });

  describe("other runs", () => {
    let other: string;
    beforeEach(async () => {
      other = join(attempt.base, "other");
      await mkdir(join(other, "tree"), { recursive: true });
      await writeFile(join(other, "tree", "file"), "theirs");
      await chmod(join(other, "tree"), 0o777);
    });

    it.each([
      ["write", `echo intruder >"$OTHER/intruder.txt"`],
      ["overwrite", `echo intruder >"$OTHER/file"`],
      ["make a link", `ln -s /etc/passwd "$OTHER/link"`],
      ["rename into it", `echo x >x; mv x "$OTHER/moved"`],
      ["rename within it", `mv "$OTHER/file" "$OTHER/renamed"`],
      ["chmod", `chmod 000 "$OTHER/file" "$OTHER"`],
      ["remove", `rm -rf "$OTHER"`],
      ["make a hard link of it and write", `ln "$OTHER/file" here && echo intruder >here`],
      ["write by going up", `for t in ../../*/*/tree ../*/tree ..; do echo intruder >"$t/intruder.txt"; done`],
      ["write through a link", `echo intruder >before/intruder.txt; echo intruder >before-file`],
    ])("agent-writes-into-anothers-run: cannot %s", async (_, script) => {
      const tree = join(other, "tree");
      await symlink(tree, join(attempt.tree, "before"));
      await symlink(join(tree, "file"), join(attempt.tree, "before-file"));
      await attempt.run(sh(script), { env: { OTHER: tree } });
      expect(await readdir(tree)).toEqual(["file"]);
      expect(await readFile(join(tree, "file"), "utf8")).toBe("theirs");
      expect((await stat(join(tree, "file"))).mode & 0o777).toBe(0o644);
      expect((await stat(tree)).mode & 0o777).toBe(0o777);
      expect((await readdir(attempt.base)).toSorted()).toEqual(["home", "other", "tree"]);
    });
  });

  describe("Baton itself", () => {
    const token = `secret-of-${process.pid}`;
    it.each([
      ["its memory", `fs.openSync("/proc/" + pid + "/mem", "r")`],
      ["its memory map", `fs.readFileSync("/proc/" + pid + "/maps")`],
      ["its environment", `fs.readFileSync("/proc/" + pid + "/environ")`],
      ["its open files", `fs.readdirSync("/proc/" + pid + "/fd")`],
      ["its directory", `fs.readdirSync("/proc/" + pid + "/cwd/")`],
      ["its root", `fs.readdirSync("/proc/" + pid + "/root/")`],
      ["its command line", `fs.readFileSync("/proc/" + pid + "/cmdline")`],
      ["signal 0", `process.kill(pid, 0)`],
      ["SIGSTOP", `process.kill(pid, "SIGSTOP")`],
      ["SIGKILL", `process.kill(pid, "SIGKILL")`],
      ["SIGSTOP to its group", `process.kill(-pid, "SIGSTOP")`],
      ["SIGTERM to its group", `process.kill(-pid, "SIGTERM")`],
    ])("agent-reads-memory-and-stops-baton: an agent does not reach %s", async (_, attack) => {
      const stop = new AbortController();
      let pid = 0;
      // Stands for Baton. The tests' own process must survive if the sandbox does not hold.
      const baton = children.follow({
        command: node(`setInterval(() => {}, 1000); console.log(process.pid)`),
        cwd: attempt.base,
        env: { SECRET: token },
        timeoutMs: 60_000,
        silenceMs: 60_000,
        marker: token,
        signal: stop.signal,
        onLine: (line) => {
          pid = Number(line);
        },
      });
      try {
        await until(() => pid > 0);
        const script = `const fs = require("fs"); const pid = ${pid}; try { ${attack}; console.log("reached") } catch (error) { console.log(error.code) }`;
        expect(await output(node(script))).toMatch(/^(ENOENT|ESRCH|EPERM|EACCES)\n$/);
        expect(await readFile(`/proc/${pid}/stat`, "latin1")).toMatch(/\) [SRD] /);
      } finally {
        stop.abort();
        await baton;
      }
    });
  });

  describe("the network", () => {
    let server: Server;
    let port: number;
    beforeEach(async () => {
      server = createServer((socket) => socket.on("error", () => {}).end("from Baton"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      port = typeof address === "object" && address !== null ? address.port : 0;
    });
    afterEach(async () => {
      await new Promise((resolve) => server.close(resolve));
    });
    const talk = (to: number, host = "127.0.0.1"): string[] =>
      node(
        `const s = require("net").connect(${to}, "${host}"); s.on("data", (d) => process.stdout.write(d)); s.on("error", (e) => console.log(e.code));`,
      );
    const network = (loopbackPorts: number[]) => ({ policy: { network: { hosts: [], loopbackPorts } } });

    it("a port of Baton's has the same address inside", async () => {
      expect(await output(talk(port), network([port]))).toBe("from Baton");
      expect(await output(talk(port, "localhost"), network([port]))).toBe("from Baton");
    });

    it("another port is not there", async () => {
      expect(await output(talk(port))).toBe("ECONNREFUSED\n");
    });

    it("the proxy's own port may be one of Baton's", async () => {
      const end = await attempt.run(node("console.log(process.env.HTTP_PROXY)"), network([3128, 3129]));
      expect(end.stdout.toString()).toBe("http://127.0.0.1:3130\n");
    });

    it("a host that is not listed is refused, and reported once by its name", async () => {
      const ask = `fetch("http://unlisted.example/x").then((r) => console.log(r.status)).catch((e) => console.log("failed"))`;
      const text = await output(node(`(async () => { await ${ask}; await ${ask}; })()`));
      expect(text).toMatch(/^(403|failed)\n(403|failed)\n$/);
      expect(attempt.denials).toEqual([{ kind: "host", name: "unlisted.example" }]);
    });
  });

  describe("paths that are not what they were", () => {
    it.each<[string, (base: string) => Promise<{ writable?: string[]; readable?: string[] }>]>([
      [
        "a writable directory is a link",
        async (base) => {
          await symlink("/etc", join(base, "link"));
          return { writable: [join(base, "tree"), join(base, "link")] };
        },
      ],
      [
        "a part of its path is a link",
        async (base) => {
          await mkdir(join(base, "real", "below"), { recursive: true });
          await symlink(join(base, "real"), join(base, "link"));
          return { writable: [join(base, "tree"), join(base, "link", "below")] };
        },
      ],
      [
        "a readable file is a link",
        async (base) => {
          await symlink("/etc/shadow", join(base, "link"));
          return { readable: [join(base, "link")] };
        },
      ],
      ["a writable directory is not there", async (base) => ({ writable: [join(base, "tree"), join(base, "absent")] })],
      [
        "a writable path is a file",
        async (base) => {
          await writeFile(join(base, "file"), "");
          return { writable: [join(base, "tree"), join(base, "file")] };
        },
      ],
      [
        "a read-only path lies in a writable one",
        async (base) => {
          await mkdir(join(base, "tree", "hooks"));
          return { readable: [join(base, "tree", "hooks")] };
        },
      ],
      ["a writable path contains the system", async () => ({ writable: ["/"] })],
    ])("%s: the attempt does not start", async (_, prepare) => {
      const policy = await prepare(attempt.base);
      vi.stubEnv("TMPDIR", attempt.base);
      await expect(attempt.run(sh("true"), { policy })).rejects.toMatchObject({ code: "BATON_SANDBOX_REFUSED" });
      expect((await readdir(attempt.base)).filter((name) => name.startsWith("baton-sandbox-"))).toEqual([]);
    });

    it("a hard link that an agent made to a readable file is not there afterwards", async () => {
      const shared = join(attempt.base, "shared");
      await mkdir(shared);
      await writeFile(join(shared, "object"), "kept");
      await attempt.run(sh(`ln ${shared}/object here; echo x >>here; echo x >>${shared}/object`), {
        policy: { readable: [shared] },
      });
      expect(await readFile(join(shared, "object"), "utf8")).toBe("kept");
    });
  });

  async function seen(path: string): Promise<void> {
    await until(async () => (await stat(path).catch(() => null)) !== null);
  }
});

/** Real processes do not report that they are done. */
async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isDone())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** No process works in its directories. */
async function expectNothingLeft(attempt: Attempt): Promise<void> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const words = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    expect(words).not.toContain(attempt.base);
  }
}
