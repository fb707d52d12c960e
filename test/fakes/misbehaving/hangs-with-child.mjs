#!/usr/bin/env node
/** Waits for a tool in a process group of its own. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
writeFileSync("child.pid", String(child.pid));
process.stderr.write("ready\n");
