/**
 * The program of the launcher. It starts programs on request, connects their outputs to Baton, and reports their end.
 *
 * The program is text, because source, built command line and the Action's bundle all need the same text.
 * LS1 It connects everything before the program starts, and keeps nothing open after that.
 * LS2 It ends when Baton ends, because its channel closes then.
 */
export const launcherSource = String.raw`"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");

process.once("disconnect", () => process.exit());
// Signals of a terminal are for Baton, which then ends what it started.
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) process.on(signal, () => {});

function connect({ address, word, id }, name) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: address });
    socket.once("error", reject);
    socket.once("connect", () => socket.write(word + " " + id + " " + name + "\n", () => resolve(socket)));
  });
}

/** The program's outputs are this process's own until it has started: one that ends at once shows none of them any more. */
function pipeOf(socket) {
  try {
    return fs.readlinkSync("/proc/self/fd/" + socket._handle.fd);
  } catch {
    return "";
  }
}

/** What finds those that hold its outputs. It is there at least as an ended process: it is reaped by a later turn. */
function born(pid, pipes) {
  try {
    const stat = fs.readFileSync("/proc/" + pid + "/stat", "latin1");
    return { startTicks: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]), pipes };
  } catch {
    return null;
  }
}

function tell(message) {
  if (process.connected) process.send(message);
}

process.on("message", async (asked) => {
  const { id, command, cwd, env, input, isStream } = asked;
  const sockets = {};
  let file = null;
  try {
    const names = isStream ? ["stdin", "stdout", "stderr"] : ["stdout", "stderr"];
    await Promise.all(names.map(async (name) => { sockets[name] = await connect(asked, name); }));
    if (input !== null) file = fs.openSync(input, "r");
    const [program, ...words] = command;
    const pipes = [sockets.stdout, sockets.stderr].map(pipeOf);
    const child = spawn(program, words, {
      cwd,
      env,
      // Its own process group, so that one signal reaches what it starts.
      detached: true,
      stdio: [sockets.stdin ?? file ?? "ignore", sockets.stdout, sockets.stderr],
    });
    child.once("error", ({ code }) => tell({ id, code: code ?? "UNKNOWN" }));
    child.once("exit", (exitCode, signal) => tell({ id, exitCode, signal }));
    if (child.pid !== undefined) tell({ id, pid: child.pid, born: born(child.pid, pipes) });
  } catch (error) {
    tell({ id, code: error.code ?? "UNKNOWN" });
  } finally {
    for (const socket of Object.values(sockets)) socket.destroy();
    if (file !== null) fs.closeSync(file);
  }
});
process.send({ id: 0, ready: true });
`;
