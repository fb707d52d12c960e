/** What a CLI says of itself: is it there, which version, is a key set. Never the key. */
import { execa } from "execa";
import type { HarnessProbe } from "../../ports/harness.ts";

const probeTimeoutMs = 20_000;

export async function probeCli(options: {
  binary: string;
  install: string;
  authenticated: boolean;
  /** What to do where no key is set. */
  authenticate: string;
}): Promise<HarnessProbe> {
  const { binary, install, authenticated, authenticate } = options;
  const version = await execa(binary, ["--version"], { reject: false, timeout: probeTimeoutMs, stdin: "ignore" });
  const installed = version.exitCode === 0;
  return {
    installed,
    version: installed ? version.stdout.trim() : null,
    authenticated,
    advice: installed ? (authenticated ? null : authenticate) : `\`${install}\``,
  };
}
