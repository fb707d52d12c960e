/**
 * The program that runs first inside. It provides the way to Baton's services, signals, and the exit status.
 *
 * The program is text, because source, built command line and the Action's bundle all need the same text.
 * BR1 Ports listen before the program starts. A port that does not listen ends the attempt (status 125).
 * BR2 The program gets no open file of Baton except its input and outputs.
 * BR3 The program has a session of its own. The bridge passes on each signal once. The program's end is the end of the
 *     attempt.
 */
export const bridgeSource = String.raw`"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const { constants } = require("node:os");

const { services, environment } = JSON.parse(process.argv[2]);
const [program, ...words] = process.argv.slice(3);

function forward(inside, socketPath) {
  const outside = net.connect({ path: socketPath, allowHalfOpen: true });
  const end = () => {
    inside.destroy();
    outside.destroy();
  };
  inside.on("error", end).on("close", end);
  outside.on("error", end).on("close", end);
  inside.pipe(outside);
  outside.pipe(inside);
}

function listen({ port, socketPath }, host) {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true }, (inside) => forward(inside, socketPath));
    server.once("error", reject);
    server.listen(port, host, resolve);
    server.unref();
  });
}

function fail(status, text) {
  process.stderr.write(text + "\n");
  process.exit(status);
}

/** Node opens everything so that children do not get it. They would get descriptors of Baton's own parent. */
function closeInherited() {
  for (const name of fs.readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor < 3) continue;
    try {
      const flags = /^flags:\s+([0-7]+)$/m.exec(fs.readFileSync("/proc/self/fdinfo/" + name, "latin1"));
      if (flags !== null && (Number.parseInt(flags[1], 8) & 0o2000000) === 0) fs.closeSync(descriptor);
    } catch {
      // The one of this very loop.
    }
  }
}

async function main() {
  closeInherited();
  await Promise.all(services.map((service) => listen(service, "127.0.0.1")));
  await Promise.all(services.map((service) => listen(service, "::1").catch(() => {})));
  const child = spawn(program, words, { stdio: "inherit", detached: true, env: { ...process.env, ...environment } });
  child.once("error", (error) => {
    if (error.code === "ENOENT") fail(127, program + ": not found");
    fail(error.code === "EACCES" ? 126 : 125, program + ": " + error.message);
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
    process.on(signal, () => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has ended.
      }
    });
  child.once("exit", (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}

main().catch((error) => fail(125, "The sandbox has no network: " + error.message));
`;
