/**
 * `sandbox.network`: presets for package registries, and the hosts of a list.
 *
 * NP1 A preset holds the default hosts of a tool's installs, each with its reason and a public source.
 * NP2 A host that also accepts uploads is marked. A preset includes one only if the tool cannot install without it.
 * NP3 The operator's list bounds the repository's list. A private address needs an entry in the operator's list.
 */
import { nearest } from "../core/nearest.ts";
import { whyNotPublic } from "../policy/addresses.ts";
import { coversRule, type HostRule, hostRuleProblem, readHostRule } from "../policy/hosts.ts";

export interface PresetHost {
  host: string;
  /** The tool's use of the host. */
  reason: string;
  source: string;
  /** Anyone with a token of the service can send data there, in a connection that Baton does not decrypt. */
  acceptsUploads?: true;
}

export const networkPresets = {
  npm: [
    {
      host: "registry.npmjs.org",
      reason: "packages of npm and pnpm",
      source: "https://docs.npmjs.com/cli/v11/using-npm/registry",
      acceptsUploads: true,
    },
    {
      host: "registry.yarnpkg.com",
      reason: "the same packages by the name in lock files of Yarn",
      source: "https://github.com/yarnpkg/yarn/issues/5891",
      acceptsUploads: true,
    },
  ],
  pip: [
    {
      host: "pypi.org",
      reason: "index of packages; uploads go to another host",
      source: "https://docs.pypi.org/api/upload/",
    },
    {
      host: "files.pythonhosted.org",
      reason: "the packages that the index names",
      source: "https://docs.pypi.org/api/index-api/",
    },
  ],
  go: [
    {
      host: "proxy.golang.org",
      reason: "modules and toolchains, read-only",
      source: "https://go.googlesource.com/go/+/go1.21.0/go.env",
    },
    {
      host: "sum.golang.org",
      reason: "checksums of modules, read-only",
      source: "https://go.googlesource.com/go/+/go1.21.0/go.env",
    },
  ],
  rust: [
    {
      host: "index.crates.io",
      reason: "index of crates, read-only",
      source: "https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol",
    },
    {
      host: "static.crates.io",
      reason: "the crates themselves, read-only; publishing goes to crates.io",
      source: "https://crates.io/data-access",
    },
    {
      host: "static.rust-lang.org",
      reason: "toolchains that `rust-toolchain.toml` names",
      source: "https://rust-lang.github.io/rustup/environment-variables.html",
    },
  ],
  maven: [
    {
      host: "repo.maven.apache.org",
      reason: "Maven Central, as every POM inherits it; publishing goes to another host",
      source: "https://maven.apache.org/ref/current/maven-model-builder/super-pom.html",
    },
    {
      host: "repo1.maven.org",
      reason: "the same repository by its other name",
      source: "https://central.sonatype.org/consume/",
    },
  ],
  gradle: [
    {
      host: "services.gradle.org",
      reason: "distributions that `gradle-wrapper.properties` names",
      source: "https://docs.gradle.org/current/userguide/gradle_wrapper.html",
    },
    {
      host: "downloads.gradle.org",
      reason: "where `services.gradle.org` redirects to",
      source: "https://github.com/openrewrite/rewrite/pull/6823",
    },
    {
      host: "plugins.gradle.org",
      reason: "plugins",
      source: "https://plugins.gradle.org/docs/mirroring",
      acceptsUploads: true,
    },
    {
      host: "plugins-artifacts.gradle.org",
      reason: "where `plugins.gradle.org` redirects to",
      source: "https://github.com/gradle/plugin-portal-requests/issues/252",
    },
    {
      host: "repo.maven.apache.org",
      reason: "Maven Central, for `mavenCentral()`",
      source: "https://docs.gradle.org/current/userguide/supported_repository_types.html",
    },
  ],
  debian: [
    { host: "deb.debian.org", reason: "packages of Debian, read-only", source: "https://deb.debian.org/" },
    {
      host: "security.debian.org",
      reason: "security updates of Debian, read-only",
      source: "https://www.debian.org/security/",
    },
  ],
  /** Without `github.com`, which accepts a push with any token. Clones need a separate entry. */
  github: [
    {
      host: "codeload.github.com",
      reason: "archives of repositories, as npm reads `github:owner/name`",
      source: "https://docs.github.com/en/actions/concepts/runners/communicating-with-self-hosted-runners",
    },
    {
      host: "raw.githubusercontent.com",
      reason: "single files of repositories",
      source: "https://docs.github.com/en/actions/concepts/runners/communicating-with-self-hosted-runners",
    },
    {
      host: "objects.githubusercontent.com",
      reason: "files of Git LFS and older release files",
      source: "https://docs.github.com/en/actions/concepts/runners/communicating-with-self-hosted-runners",
    },
    {
      host: "release-assets.githubusercontent.com",
      reason: "files of releases",
      source: "https://docs.github.com/en/actions/concepts/runners/communicating-with-self-hosted-runners",
    },
  ],
} as const satisfies Record<string, readonly PresetHost[]>;

export type NetworkPreset = keyof typeof networkPresets;
export const networkPresetNames = Object.keys(networkPresets) as NetworkPreset[];

const isPreset = (entry: string): entry is NetworkPreset => Object.hasOwn(networkPresets, entry);

export interface NetworkProblem {
  message: string;
  /** A guess of the intended entry. */
  suggestion: string | null;
}

/** The problem of one entry of `sandbox.network`. null: the entry is good. */
export function networkEntryProblem(entry: string): NetworkProblem | null {
  if (isPreset(entry)) return null;
  // A word without a dot is more often a mistyped preset than a host.
  if (/^[\w-]+$/.test(entry))
    return {
      message: `\`${entry.slice(0, 100)}\` is neither a preset (${networkPresetNames.join(", ")}) nor a host with a dot or a port.`,
      suggestion: nearest(entry.toLowerCase(), networkPresetNames),
    };
  const message = hostRuleProblem(entry);
  return message === null ? null : { message, suggestion: null };
}

export interface NetworkHosts {
  /** Entries for the egress proxy. */
  hosts: string[];
  /** Entries of the repository that the operator does not allow, with the reason. */
  refused: { entry: string; reason: string }[];
}

/**
 * The hosts of a repository's list. `bound` is the operator's list: hosts and presets, or null for any public host. It
 * refuses bad entries too, so a caller that did not check gets nothing more.
 */
export function networkHosts(entries: readonly string[], bound: readonly string[] | null): NetworkHosts {
  const outer = bound === null ? null : rulesOf(bound.flatMap(expanded));
  const hosts = new Set<string>();
  const refused: NetworkHosts["refused"] = [];
  for (const entry of entries) {
    const problem = networkEntryProblem(entry);
    const wanted = problem === null ? expanded(entry) : [];
    const reason = problem?.message ?? wanted.map((host) => outsideOf(host, outer)).find((one) => one !== null) ?? null;
    if (reason !== null) refused.push({ entry, reason });
    else for (const host of wanted) hosts.add(host);
  }
  return { hosts: [...hosts], refused };
}

/** The preset that holds a host, for advice. null: no preset does. */
export function presetOf(host: string): NetworkPreset | null {
  return networkPresetNames.find((name) => networkPresets[name].some((one) => one.host === host)) ?? null;
}

function expanded(entry: string): string[] {
  return isPreset(entry) ? networkPresets[entry].map(({ host }) => host) : [entry];
}

function rulesOf(entries: readonly string[]): HostRule[] {
  return entries.flatMap((entry) => {
    const rule = readHostRule(entry);
    return rule.ok ? [rule.value] : [];
  });
}

/** Why an entry is outside the operator's bound. */
function outsideOf(entry: string, outer: readonly HostRule[] | null): string | null {
  const [rule] = rulesOf([entry]);
  if (rule === undefined) return "it is not a host";
  if (outer !== null) return coversRule(outer, rule) ? null : `the operator does not allow \`${entry}\``;
  const why = rule.host.kind === "name" ? null : whyNotPublic(rule.host.name);
  return why === null ? null : `the address is ${why}, and the operator does not list it`;
}
