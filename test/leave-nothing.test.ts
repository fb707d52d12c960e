import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { processRow } from "../src/adapters/child/process-table.ts";

it("a process of tests that is ended takes with it what its tests started, whatever that ignores", async () => {
  const module = fileURLToPath(new URL("leave-nothing.ts", import.meta.url));
  const stubborn = `trap "" TERM HUP; sleep 3600 & echo $$ $!; wait`;
  const tests = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import ${JSON.stringify(module)};
      const { spawn } = await import("node:child_process");
      spawn("bash", ["-c", ${JSON.stringify(stubborn)}], { detached: true, stdio: ["ignore", "inherit", "inherit"] });
      setInterval(() => {}, 1_000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_NO_WARNINGS: "1" } },
  );
  const [chunk] = (await once(tests.stdout, "data")) as [Buffer];
  const started = chunk.toString().trim().split(" ").map(Number);
  expect(started).toHaveLength(2);
  tests.kill("SIGTERM");
  expect(await once(tests, "exit")).toEqual([null, "SIGTERM"]);
  await expect.poll(() => started.filter((pid) => processRow(pid)?.ended === false)).toEqual([]);
});
