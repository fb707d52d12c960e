#!/usr/bin/env node
/** Ends well; its child in a process group of its own has dropped the environment and holds the pipes open. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { env, stdout } from "node:process";

const child = spawn("sleep", ["600"], { detached: true, stdio: "inherit", env: { PATH: env["PATH"] } });
writeFileSync("child.pid", String(child.pid));
child.unref();
stdout.write(readFileSync(env["BATON_TEST_STREAM"]), () => process.exit(0));
