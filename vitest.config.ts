import { totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { patienceMs } from "./test/patience.ts";
import { shortLived } from "./test/short-lived.ts";
import LongestFirst from "./tools/longest-first.ts";

// Processes that tests start strip and compile the same sources again and again.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.cache/node-compile", import.meta.url));

// The tests of a world's repository run in one process. An older Node refuses to start with this option.
if (process.allowedNodeEnvironmentFlags.has("--test-isolation"))
  process.env["BATON_WORLD_CI_OPTIONS"] ??= "--test-isolation=none";

/** Directories of `tsconfig.pure.json`: their tests keep nothing. */
const pure =
  "src/{core,process,summary,gate,policy,prompt,text,thread,config,money,routing,workflow,schedule,sweep,trigger}/**/*.test.ts";
const exclude = ["test/harnesses-real/**", "node_modules/**"];
/**
 * Files that need a process of their own: they replace the network, measure their process or start and end programs around it.
 * All others share a few processes, because loading Baton costs each process more than a second.
 */
const alone = [
  "src/adapters/child/*.test.ts",
  "src/adapters/workspace/!(coalesced|missing-blobs|object-door|push-refusal).test.ts",
  "src/adapters/github/{github-app,installation,request}.test.ts",
  "src/adapters/sandbox/{probes,resources,sandbox}.test.ts",
  "src/adapters/system/{forget-environment,use-proxies}.test.ts",
  "test/contract/{git-state-writers,pglite-directory,postgres-replicas}.test.ts",
  "test/{hosts,prove,sandbox}/**/*.test.ts",
  "test/scenarios/{crash,replicas,sandbox}.test.ts",
  "test/{demo,start}.test.ts",
];
/** Files that replace a module of Baton's by `vi.mock`: only there Vitest's own loader runs the code. */
const mocked = ["src/cli/doctor-models.test.ts", "test/contract/harness.test.ts"];

/** Made once, for tests that start worlds: pure ones do without. */
const globalSetup = ["test/database-template.ts", "test/scratch.ts"];

/** In a container, the limit of its control group counts. Without a limit, Node reports 0 or more than the machine has. */
const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "pure", include: [pure], exclude, isolate: false } },
      { extends: true, test: { name: "alone", include: alone, exclude, globalSetup } },
      {
        extends: true,
        test: {
          name: "mocked",
          include: mocked,
          exclude,
          globalSetup,
          experimental: { viteModuleRunner: true },
        },
      },
      {
        extends: true,
        test: {
          name: "worlds",
          include: ["{src,processes,packages,test,tools,bench,docs}/**/*.test.ts"],
          exclude: [...exclude, ...alone, ...mocked, pure],
          isolate: false,
          globalSetup,
        },
      },
    ],
    // For hangs only: a loaded machine is not a failure.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: patienceMs } },
    // Most of the time is waiting (back-off, leases, processes): more files than cores. A process of worlds needs 0.7 GB.
    maxWorkers: Math.max(2, Math.min(8, Math.floor(memoryBytes / 2 ** 30) - 1)),
    sequence: { sequencer: LongestFirst },
    // The database's code runs for seconds in a file of tests: optimising it costs more than it gains. Worlds make much that
    // soon is garbage: with more room for it, a world costs a fifth less.
    execArgv: [...shortLived, "--max-semi-space-size=32"],
    // Node runs the sources itself. Vitest's loader reaches each import through a proxy, which makes all code slower, and
    // compiles every file anew in each process.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    setupFiles: ["./test/leave-nothing.ts", "./test/github/watch.ts"],
    restoreMocks: true,
    reporters: ["default", "./tools/summary-reporter.ts"],
  },
});
