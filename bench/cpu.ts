/** `cpu`: processor time and memory that the programs use. They depend little on the machine's load. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Bench, figure, percentile, spread } from "./figure.ts";
import { startApp } from "./load/app.ts";

const plans = { quick: { idleMs: 3_000, versions: 1 }, full: { idleMs: 30_000, versions: 5 } };
/** Linux counts processor time in hundredths of a second. Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const tickMs = 10;
const names = ["app.startCpuMs", "app.idleCpuMsPerSecond", "app.idleMb", "cli.versionCpuMs"] as const;
const program = fileURLToPath(new URL("../bin/baton.js", import.meta.url));
/** Prints the processor time of its only child. */
const measuring = `const { spawnSync } = require("node:child_process");
spawnSync(process.execPath, [process.argv[1], "--version"]);
const stat = require("node:fs").readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
console.log(Number(stat[13]) + Number(stat[14]));`;

export const cpu: Bench = {
  name: "cpu",
  summary: "processor time of a start, of an idle App on PGlite, and of `baton --version`",
  figures: names,
  async run({ quick, directory }) {
    if (process.platform !== "linux")
      return { figures: [], skipped: names.map((name) => ({ name, reason: "only Linux shows it in /proc" })) };
    const { idleMs, versions } = quick ? plans.quick : plans.full;
    const dataDir = join(directory, "data");
    // The first start makes the database.
    await (await startApp({ dataDir, databaseUrl: null })).stop();
    const app = await startApp({ dataDir, databaseUrl: null });
    const startCpuMs = cpuMsOf(app.pid);
    // The first rounds of the App's timetable belong to its start.
    await delay(idleMs / 3);
    const before = cpuMsOf(app.pid);
    await delay(idleMs);
    const idle = (cpuMsOf(app.pid) - before) / (idleMs / 1_000);
    const mb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${app.pid}/status`, "utf8"))?.[1]) / 1_024;
    await app.stop();
    const taken: number[] = [];
    for (let repeat = 0; repeat < versions; repeat += 1) {
      const { stdout } = await promisify(execFile)(process.execPath, ["-e", measuring, program]);
      taken.push(Number(stdout) * tickMs);
    }
    return {
      figures: [
        figure({ name: "app.startCpuMs", unit: "ms", value: startCpuMs, target: 1_200 }),
        figure({ name: "app.idleCpuMsPerSecond", unit: "ms", value: idle, target: 10 }),
        figure({ name: "app.idleMb", unit: "count", value: mb, target: 250 }),
        figure({
          name: "cli.versionCpuMs",
          unit: "ms",
          value: percentile(taken, 0.5),
          target: 150,
          samples: spread(taken),
        }),
      ],
      skipped: [],
    };
  },
};

function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
