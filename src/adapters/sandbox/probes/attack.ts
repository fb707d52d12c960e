/** The common start of every attack, and system calls through an installed interpreter. */

export const outMark = "probe-broke-out";
const beginMark = "probe-begin";
const endMark = "probe-end";
const absentMark = "probe-lacks-interpreter";

/**
 * A program for `node -e` that tries one attack after the other. An error of an attack is its failure, so it is
 * swallowed.
 */
export function attackProgram(attacks: readonly string[]): string {
  const tries = attacks.map((attack) => `async () => { ${attack} }`).join(",\n");
  return `${prelude}
(async () => {
  for (const [index, attack] of [${tries}].entries()) {
    console.log("\\n${beginMark} " + index);
    await attack().catch((error) => { if (error === noInterpreter) console.log("${absentMark}"); });
    console.log("\\n${endMark} " + index);
  }
  process.exit(0);
})();`;
}

/** The output of one attack. Null when it did not finish or could not begin. */
export function outputOf(output: string, index: number): string | null {
  const begin = output.indexOf(`\n${beginMark} ${index}\n`);
  const end = output.indexOf(`\n${endMark} ${index}\n`, begin);
  if (begin === -1 || end === -1) return null;
  const text = output.slice(begin, end);
  return text.includes(absentMark) ? null : text;
}

const prelude = `
const fs = require("node:fs");
const net = require("node:net");
const dgram = require("node:dgram");
const path = require("node:path");
const { spawn, spawnSync } = require("node:child_process");
const targets = JSON.parse(process.env.PROBE_TARGETS);
const noInterpreter = new Error("neither perl nor python3 is here");
const brokeOut = (text) => console.log("${outMark} " + text);
const tell = (text) => console.log(String(text));
const attempt = (act) => { try { return act(); } catch (error) { return undefined; } };
const isOther = (pid) => {
  const words = attempt(() => fs.readFileSync("/proc/" + pid + "/cmdline", "latin1"));
  return words === undefined || words.includes(targets.victimMark);
};
/** The process outside, under its number there and under each number that looks like it. */
const victims = () => [targets.victim, ...fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map(Number)
  .filter((pid) => attempt(() => fs.readFileSync("/proc/" + pid + "/cmdline", "latin1").includes(targets.victimMark)))].filter(isOther);
const run = (program, ...words) => spawnSync(program, words, { encoding: "latin1", timeout: 5000 });
/** 0 for success, a number of the kernel for a refusal, null where no interpreter is there. */
const syscall = (number, ...words) => {
  const perl = "my @a = map { /^-?\\\\d+$/ ? $_+0 : $_ } @ARGV; $! = 0; my $r = syscall($a[0], @a[1..$#a]); print $r == -1 ? $!+0 : 0;";
  const python = "import ctypes,sys\\nc=ctypes.CDLL(None,use_errno=True)\\na=[int(x) if x.lstrip('-').isdigit() else x.encode() for x in sys.argv[1:]]\\nr=c.syscall(*a)\\nprint(ctypes.get_errno() if r==-1 else 0,end='')";
  for (const [program, ...first] of [["perl", "-e", perl], ["python3", "-c", python]]) {
    const { stdout, status } = run(program, ...first, String(number), ...words.map(String));
    if (status === 0 && /^\\d+$/.test(stdout)) return Number(stdout);
  }
  throw noInterpreter;
};
const number = (x64, arm64) => process.arch === "arm64" ? arm64 : x64;
const refusals = { EPERM: 1, EACCES: 13, ENOSYS: 38, EAFNOSUPPORT: 97 };
/** Anything but a refusal shows that the kernel would have done it. */
const isOpen = (code) => !Object.values(refusals).includes(code);
const talk = (options, text = "") => new Promise((resolve) => {
  const socket = net.connect(options);
  let heard = "";
  socket.setTimeout(1500, () => socket.destroy());
  socket.on("connect", () => text !== "" && socket.write(text));
  socket.on("data", (chunk) => { heard += chunk; tell(chunk); });
  socket.on("error", (error) => { heard += " error " + error.code; });
  socket.on("close", () => resolve(heard));
});
`;
