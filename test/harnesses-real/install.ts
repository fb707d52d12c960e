/** Before the suite: installs every pinned CLI, or reports the missing ones with the reason. */
import { type CliName, installCli, optional, pinnedClis, wantedClis } from "./cli.ts";

export async function setup(): Promise<void> {
  await Promise.all(wantedClis().map(prepare));
}

async function prepare(name: CliName): Promise<void> {
  const { package: packageName, version } = pinnedClis[name];
  const say = (how: string): boolean => process.stdout.write(`${packageName}@${version}: ${how}\n`);
  const startedAt = performance.now();
  try {
    const { installed } = await installCli(name);
    say(installed ? `installed in ${Math.round((performance.now() - startedAt) / 1_000)} s` : "present");
  } catch (thrown) {
    if (!optional) throw thrown;
    say(`skipped. ${String(thrown)}`);
  }
}
