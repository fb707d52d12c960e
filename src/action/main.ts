/** The Action's main step, as a program. */
import { forgetEnvironment } from "../adapters/system/forget-environment.ts";
import { useProxies } from "../adapters/system/use-proxies.ts";
import { runJob } from "./job.ts";

const stop = new AbortController();
// The platform asks first and kills the process a few seconds later.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort(signal));

process.exitCode = await runJob(
  process.env,
  { out: (text) => process.stdout.write(text) },
  stop.signal,
  ({ secrets }) => {
    // A self-hosted runner passes its own proxy to its jobs.
    const ignored = useProxies(process.env);
    if (ignored !== null) process.stderr.write(`${ignored}\n`);
    // An agent has the same user, and could read the job's tokens there.
    forgetEnvironment(secrets);
  },
);
// Open handles of a library must not keep the job running.
process.exit();
