/**
 * The targets of the probes: directories with canaries, and a process outside that stands for Baton.
 *
 * WO1 Everything is made for one run of the probes and removed after it. No real key, tree or database is touched.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Children } from "../../../ports/child.ts";
import { readProcess } from "../process-table.ts";

export interface Victim {
  pid: number;
  tcpPort: number;
  udpPort: number;
  abstractName: string;
  socketPath: string;
  /** `baton-canary-…`, in its memory, its environment, an open file, and the answers of its sockets. */
  canary: string;
  heardByUdp(): string;
}

export interface World {
  /** The attempt's working directory. `tree` and `scratch` are writable. */
  tree: string;
  scratch: string;
  /** Readable: objects that the tree borrows. */
  objects: string;
  home: string;
  database: string;
  otherTree: string;
  trusted: string;
  /** A mark in every file that no agent may read. */
  canary: string;
  victimMark: string;
  victim(): Promise<Victim>;
  close(): Promise<void>;
}

export async function createWorld(children: Children): Promise<World> {
  const base = await mkdtemp(join(await realpath(tmpdir()), "baton-probe-"));
  const home = await mkdtemp(join(await realpath(homedir()), ".baton-probe-")).catch(
    async () => await mkdtemp(join(base, "home-")),
  );
  const canary = `baton-canary-${randomBytes(12).toString("hex")}`;
  const victimMark = `victim-${randomBytes(6).toString("hex")}`;
  const at = (name: string): string => join(base, name);
  const places = {
    tree: at("runs/own/tree"),
    scratch: at("runs/own/scratch"),
    objects: at("objects"),
    database: at("database"),
    otherTree: at("runs/other/tree"),
    trusted: at("trusted.git"),
  };
  for (const path of Object.values(places)) await mkdir(path, { recursive: true });
  for (const path of [home, places.database, places.otherTree, places.trusted, places.objects])
    await writeFile(join(path, "canary"), canary);
  await writeFile(join(places.trusted, "config"), "[core]\n\tbare = true\n");
  const keeper = new VictimKeeper(children, { base, canary, victimMark, database: places.database });
  return {
    ...places,
    home,
    canary,
    victimMark,
    victim: async () => await keeper.living(),
    async close() {
      await keeper.end();
      await rm(base, { recursive: true, force: true });
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface VictimSettings {
  base: string;
  canary: string;
  victimMark: string;
  database: string;
}

/** Runs one process at a time. Starts another one when an attack ended it. */
class VictimKeeper {
  readonly #children: Children;
  readonly #settings: VictimSettings;
  #current: { victim: Victim; end(): Promise<void> } | null = null;
  #count = 0;

  constructor(children: Children, settings: VictimSettings) {
    this.#children = children;
    this.#settings = settings;
  }

  async living(): Promise<Victim> {
    if (this.#current !== null && !(await isWell(this.#current.victim.pid))) await this.end();
    this.#current ??= await this.#start();
    return this.#current.victim;
  }

  async end(): Promise<void> {
    await this.#current?.end();
    this.#current = null;
  }

  async #start(): Promise<{ victim: Victim; end(): Promise<void> }> {
    const { base, canary, victimMark, database } = this.#settings;
    this.#count += 1;
    const socketPath = join(base, `victim-${this.#count}.sock`);
    const abstractName = `${victimMark}-${this.#count}`;
    const stop = new AbortController();
    const input = new PassThrough();
    let heard = "";
    let ready: (facts: { tcpPort: number; udpPort: number; pid: number }) => void = () => {};
    const started = new Promise<{ tcpPort: number; udpPort: number; pid: number }>((resolve) => {
      ready = resolve;
    });
    const ended = this.#children.follow({
      command: [process.execPath, "-e", victimSource, victimMark],
      cwd: database,
      env: { PROBE_CANARY: canary, PROBE_SOCKET: socketPath, PROBE_ABSTRACT: abstractName },
      input,
      timeoutMs: 15 * 60_000,
      silenceMs: 15 * 60_000,
      killGraceMs: 1,
      marker: victimMark,
      signal: stop.signal,
      onLine(line) {
        if (line.startsWith("{")) ready(JSON.parse(line) as { tcpPort: number; udpPort: number; pid: number });
        else heard += line;
      },
    });
    const facts = await Promise.race([started, ended.then(() => null)]);
    if (facts === null) throw new Error("The process that the probes attack did not start.");
    return {
      victim: { ...facts, abstractName, socketPath, canary, heardByUdp: () => heard },
      async end() {
        stop.abort();
        input.end();
        await ended;
      },
    };
  }
}

/** The process has neither ended nor stopped. */
async function isWell(pid: number): Promise<boolean> {
  const entry = await readProcess(pid);
  return entry !== null && !entry.ended && !entry.stopped;
}

/** Stands for Baton: secrets in memory, environment and an open file, and sockets that answer with them. */
const victimSource = `
const fs = require("node:fs");
const net = require("node:net");
const dgram = require("node:dgram");
const canary = process.env.PROBE_CANARY;
globalThis.kept = Buffer.from(canary + "-in-memory");
fs.openSync("canary", "r");
const answer = (socket) => { socket.on("error", () => {}); socket.end("HTTP/1.1 200 OK\\r\\ncontent-length: " + canary.length + "\\r\\nconnection: close\\r\\n\\r\\n" + canary); };
const listen = (where) => new Promise((resolve) => { const server = net.createServer((socket) => answer(socket)); server.listen(where, () => resolve(server)); });
(async () => {
  const tcp = await listen({ port: 0, host: "::" }).catch(() => null) ?? await listen({ port: 0, host: "0.0.0.0" });
  await listen({ path: process.env.PROBE_SOCKET });
  await listen({ path: "\\0" + process.env.PROBE_ABSTRACT });
  const udp = dgram.createSocket("udp4");
  udp.on("message", (text) => console.log("udp " + text));
  await new Promise((resolve) => udp.bind(0, resolve));
  console.log(JSON.stringify({ pid: process.pid, tcpPort: tcp.address().port, udpPort: udp.address().port }));
})();
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
`;
