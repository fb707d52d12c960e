/**
 * An agent as the public registry of the Agent Client Protocol describes it (`agent.json`), and how Baton starts it.
 *
 * Format: https://github.com/agentclientprotocol/registry/blob/main/agent.schema.json. The format still changes, so
 * Baton ignores unknown keys. Known keys are bounded.
 * AM1 Baton downloads nothing when a step begins. The agent's program is already on the machine, or the doctor says how
 *     to install it.
 * AM2 Variables of a manifest never change what Baton sets for every agent.
 */
import { z } from "zod";

const word = z
  .string()
  .min(1)
  .max(1_000)
  .regex(/^[^\0\n]*$/, "one line is expected");
const address = z.url({ protocol: /^https?$/ }).max(2_000);
/** Baton's own variables, and those that could replace a program by another. */
const reserved = /^(?:PATH|HOME|TMPDIR|CI|NODE_OPTIONS|(?:LD|DYLD|BATON|GIT)_.*)$/i;
const variableName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
  .refine((name) => !reserved.test(name), "a variable that Baton sets itself");
const args = z.array(word).max(64).default([]);
const env = z
  .record(variableName, z.string().max(4_000))
  .refine((all) => Object.keys(all).length <= 64, "at most 64 variables are expected")
  .default({});

/** No path. Baton finds the program like any other. */
const programName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
const npmPackage = z
  .string()
  .max(300)
  .regex(
    /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(?:@[A-Za-z0-9.+~^-]+)?$/,
    "a package of npm is expected",
  );
const pythonPackage = z
  .string()
  .max(300)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9,._-]+\])?(?:(?:==|@)[A-Za-z0-9.+!-]+)?$/,
    "a package of PyPI is expected",
  );

const platforms = [
  "darwin-aarch64",
  "darwin-x86_64",
  "linux-aarch64",
  "linux-x86_64",
  "windows-aarch64",
  "windows-x86_64",
] as const;
export type AcpPlatform = (typeof platforms)[number];

const binaryTarget = z.object({
  archive: address,
  sha256: z
    .string()
    .regex(/^[a-fA-F0-9]{64}$/)
    .optional(),
  cmd: word,
  args,
  env,
});

const distribution = z
  .object({
    npx: z.object({ package: npmPackage, cmd: programName.optional(), args, env }).optional(),
    uvx: z.object({ package: pythonPackage, cmd: programName.optional(), args, env }).optional(),
    binary: z.partialRecord(z.enum(platforms), binaryTarget).optional(),
  })
  .refine(
    (ways) => Object.values(ways).some((way) => way !== undefined),
    "one of `npx`, `uvx` and `binary` is expected",
  );

export const acpManifestSchema = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  name: z.string().min(1).max(200),
  version: z
    .string()
    .max(100)
    .regex(/^\d+\.\d+\.\d+/),
  description: z.string().min(1).max(2_000),
  repository: address.optional(),
  website: address.optional(),
  authors: z.array(z.string().max(200)).max(50).optional(),
  license: z.string().max(200).optional(),
  license_url: address.optional(),
  distribution,
  /** Not part of the registry. False for an agent that reads files by itself. */
  reads: z.boolean().optional(),
});
export type AcpManifest = z.infer<typeof acpManifestSchema>;

/** How Baton starts the agent, and how to install its program. */
export interface AcpStart {
  command: string[];
  install: string;
  keys: Record<string, string>;
  reads?: boolean;
}

/** Null: the manifest does not support this platform. */
export function startOf({ distribution: ways, reads }: AcpManifest, platform: AcpPlatform | null): AcpStart | null {
  const more = reads === undefined ? {} : { reads };
  const { npx, uvx } = ways;
  if (npx !== undefined)
    return {
      command: [npx.cmd ?? npmProgram(npx.package), ...npx.args],
      install: `npm install --global ${npx.package}`,
      keys: npx.env,
      ...more,
    };
  if (uvx !== undefined)
    return {
      command: [uvx.cmd ?? pythonProgram(uvx.package), ...uvx.args],
      install: `uv tool install '${uvx.package}'`,
      keys: uvx.env,
      ...more,
    };
  const target = platform === null ? undefined : ways.binary?.[platform];
  if (target === undefined) return null;
  const program = target.cmd.split(/[/\\]/).at(-1) as string;
  const check = target.sha256 === undefined ? "" : ` (SHA-256 ${target.sha256.toLowerCase()})`;
  return {
    command: [program, ...target.args],
    install: `Download ${target.archive}${check} and put ${program} into a folder of PATH`,
    keys: target.env,
    ...more,
  };
}

/** A package's program has its name without scope and version, as with `npx`. */
function npmProgram(name: string): string {
  const [, bare = name] = /^(?:@[^/]+\/)?([^@]+)/.exec(name) ?? [];
  return bare;
}

function pythonProgram(name: string): string {
  const [bare = name] = name.split(/[[=@]/);
  return bare;
}

export function acpPlatform(system: string, architecture: string): AcpPlatform | null {
  const os = { darwin: "darwin", linux: "linux", win32: "windows" }[system];
  const cpu = { arm64: "aarch64", x64: "x86_64" }[architecture];
  return platforms.find((one) => one === `${os}-${cpu}`) ?? null;
}
