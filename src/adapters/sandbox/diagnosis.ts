/** Why bubblewrap does not work on this system, and how to fix it. Pure. */

export interface SystemFacts {
  /** `process.platform`. */
  platform: string;
  /** Names of the package managers found. */
  packageManagers: readonly string[];
  /** Values of the kernel's settings. Absent: this kernel does not have the setting. */
  settings: Readonly<Record<string, string>>;
  isContainer: boolean;
  isRoot: boolean;
  /** The program belongs to root and changes the user. */
  isSetuid: boolean;
}

export interface Diagnosis {
  problem: string;
  remedy: string;
}

export const kernelSettings = [
  "kernel.apparmor_restrict_unprivileged_userns",
  "kernel.unprivileged_userns_clone",
  "user.max_user_namespaces",
] as const;

const installLines: readonly (readonly [manager: string, line: string])[] = [
  ["apt-get", "sudo apt-get install --yes bubblewrap"],
  ["dnf", "sudo dnf install --assumeyes bubblewrap"],
  ["yum", "sudo yum install --assumeyes bubblewrap"],
  ["zypper", "sudo zypper install --non-interactive bubblewrap"],
  ["apk", "apk add bubblewrap"],
  ["pacman", "sudo pacman -S --noconfirm bubblewrap"],
  ["nix-env", "nix-env --install bubblewrap"],
];

export const packageManagers = installLines.map(([manager]) => manager);

export function notInstalled(facts: SystemFacts): Diagnosis {
  if (facts.platform === "darwin")
    return {
      problem: "Baton's sandbox needs Linux. macOS is not supported yet.",
      remedy: "Run Baton on Linux, for example in a virtual machine.",
    };
  if (facts.platform !== "linux")
    return {
      problem: `Baton's sandbox needs Linux; this is ${facts.platform}.`,
      remedy: facts.platform === "win32" ? "Run Baton in WSL 2." : "Run Baton on Linux.",
    };
  const line = installLines.find(([manager]) => facts.packageManagers.includes(manager))?.[1];
  return {
    problem: "bubblewrap is not installed.",
    remedy:
      line === undefined
        ? "Install bubblewrap 0.8.0 or later so that `bwrap` is on PATH."
        : line.replace(/^sudo /, facts.isRoot ? "" : "sudo "),
  };
}

/** Bubblewrap exists, but a program does not start in it. `output` is its output. */
export function notStarting(facts: SystemFacts, output: string): Diagnosis {
  const said = output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const isForbidden = /(permission|not permitted|no space left|namespace|RTM_NEWADDR|uid map)/i.test(output);
  if (isForbidden && facts.settings["kernel.apparmor_restrict_unprivileged_userns"] === "1" && !facts.isRoot)
    return {
      problem: `AppArmor forbids user namespaces to bubblewrap (${said}).`,
      remedy: `Allow them to bubblewrap alone: write the profile below to /etc/apparmor.d/bwrap and run \`sudo apparmor_parser -r /etc/apparmor.d/bwrap\`. Or allow them to every program: \`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\`.\n${apparmorProfile}`,
    };
  if (isForbidden && facts.settings["kernel.unprivileged_userns_clone"] === "0" && !facts.isRoot)
    return {
      problem: `The kernel forbids user namespaces to ordinary users (${said}).`,
      remedy: "Run `sudo sysctl -w kernel.unprivileged_userns_clone=1`, and put the setting into /etc/sysctl.d.",
    };
  if (isForbidden && facts.settings["user.max_user_namespaces"] === "0")
    return {
      problem: `The kernel allows no user namespaces (${said}).`,
      remedy: "Run `sudo sysctl -w user.max_user_namespaces=15000`, and put the setting into /etc/sysctl.d.",
    };
  if (facts.isContainer)
    return {
      problem: `The container that runs Baton may not make namespaces (${said}).`,
      remedy:
        "Start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined` (in Kubernetes: `agents: pod` of the Helm chart). Or let agents work on runners: `executor: actions` in `baton.yaml`. See docs/guides/containers.md.",
    };
  if (facts.isSetuid)
    return {
      problem: `bubblewrap is installed with the setuid bit, and does not work that way (${said}).`,
      remedy: "Run `sudo chmod u-s /usr/bin/bwrap`, and allow user namespaces.",
    };
  return {
    problem: `bubblewrap cannot start a program: ${said === "" ? "it printed nothing" : said}.`,
    remedy: "Run `baton sandbox test` where Baton runs; it shows which step fails.",
  };
}

/** The profile that Ubuntu documents for programs that need user namespaces. */
const apparmorProfile = `abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}`;
