/** A command line in this process: hands the process to `program.ts`. */
import { forgetEnvironment } from "../adapters/system/forget-environment.ts";
import { useProxies } from "../adapters/system/use-proxies.ts";
import { runCli } from "./program.ts";

const words = process.argv.slice(2);
// `start` and `demo` read the environment themselves and then forget it. Other commands get a copy, which a running agent
// does not see.
const environment = { ...process.env };
const ignored = useProxies(environment);
if (ignored !== null && words[0] !== "start") process.stderr.write(`${ignored}\n`);
if (words[0] !== "start" && words[0] !== "demo") forgetEnvironment([]);

process.exitCode = await runCli(words, {
  environment,
  directory: process.cwd(),
  print: (text) => process.stdout.write(`${text}\n`),
  note: (text) => process.stderr.write(`${text}\n`),
});
