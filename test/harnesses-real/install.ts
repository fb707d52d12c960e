/** Before the suite: every pinned CLI is there, or it says which is not and why. */
import { chosenClis, installCli, pinnedClis } from "./cli.ts";

export async function setup(): Promise<void> {
  for (const name of chosenClis()) {
    const { package: packageName, version } = pinnedClis[name];
    const startedAt = performance.now();
    const { installed } = await installCli(name);
    const how = installed ? `installed in ${Math.round((performance.now() - startedAt) / 1_000)} s` : "present";
    process.stdout.write(`${packageName}@${version}: ${how}\n`);
  }
}
