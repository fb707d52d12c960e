#!/usr/bin/env node
/** Ends well, but leaves a child in a process group of its own that holds the pipes open. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { env, stdout } from "node:process";

const child = spawn("sleep", ["600"], { detached: true, stdio: "inherit" });
writeFileSync("child.pid", String(child.pid));
child.unref();
stdout.write(readFileSync(env["BATON_TEST_STREAM"]), () => process.exit(0));
