/**
 * Toolchains in a home are readable, but not the files next to them. Messages for systems where bubblewrap does not
 * work.
 */
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isBelow } from "./bubblewrap.ts";
import { notInstalled, notStarting, type SystemFacts } from "./diagnosis.ts";
import { readHostLayout } from "./host-layout.ts";

describe.skipIf(process.platform !== "linux")("toolchains in a home", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(await realpath(tmpdir()), "baton-home-"));
  });
  afterEach(async () => {
    await rm(home, { recursive: true, force: true });
  });

  const put = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await mkdir(dirname(join(home, name)), { recursive: true });
      await writeFile(join(home, name), "");
      await chmod(join(home, name), 0o755);
    }
  };
  const shown = async (path: string, hidden: string[] = []) => {
    const environment = { PATH: path };
    return await readHostLayout({ environment, home, nodePath: "/usr/bin/node", hidden });
  };

  it.each<[string, string, string[], string[]]>([
    [
      "cargo",
      ".cargo/bin",
      [".cargo/bin/cargo", ".rustup/toolchains/x/bin/rustc"],
      [".cargo/credentials.toml", ".cargo/registry/x"],
    ],
    ["pyenv", ".pyenv/shims", [".pyenv/shims/python", ".pyenv/versions/3/bin/python"], [".pypirc", ".netrc"]],
    [
      "nvm",
      ".nvm/versions/node/v1/bin",
      [".nvm/versions/node/v1/bin/node", ".nvm/versions/node/v1/lib/node_modules/x"],
      [".npmrc", ".nvm/alias/x"],
    ],
    ["a prefix of its own", "tools/bin", ["tools/bin/x", "tools/lib/x"], ["tools/etc/token", "tools/.env"]],
    ["a folder of programs", "bin", ["bin/x"], ["lib/x", ".ssh/id", ".aws/credentials", ".config/gh/hosts.yml"]],
    ["modules of a project", "app/node_modules/.bin", ["app/node_modules/.bin/x"], ["app/.env", "app/src/x"]],
  ])("%s", async (_, directory, visible, invisible) => {
    await put(...visible, ...invisible);
    const { binds } = await shown(`/usr/bin:${join(home, directory)}`);
    const isShown = (name: string): boolean => binds.some(({ target }) => isBelow(join(home, name), target));
    expect(visible.filter((name) => !isShown(name))).toEqual([]);
    expect(invisible.filter(isShown)).toEqual([]);
  });

  it("a program that was installed by a link is shown with its files, and nothing else of its folder", async () => {
    await put(".local/share/agent/versions/1", ".local/share/keyrings/login.keyring", ".local/bin/x");
    await symlink(join(home, ".local/share/agent/versions/1"), join(home, ".local/bin/agent"));
    const targets = (await shown(join(home, ".local/bin"))).binds.map(({ target }) => target);
    expect(targets).toContain(join(home, ".local/share/agent"));
    expect(targets.some((target) => isBelow(join(home, ".local/share/keyrings"), target))).toBe(false);
  });

  it.each(["", ".", "/"])("a home on PATH is not shown: %j", async (name) => {
    await put(".ssh/id");
    const { binds } = await shown(`${home}${name === "" ? "" : `/${name}`}:relative:.:`);
    expect(binds.filter(({ target }) => isBelow(target, home) || isBelow(home, target))).toEqual([]);
  });

  it("Baton's own directories are not toolchains", async () => {
    await put("data/bin/x");
    const { binds } = await shown(join(home, "data/bin"), [join(home, "data")]);
    expect(binds.filter(({ target }) => isBelow(target, home))).toEqual([]);
  });

  it("of /etc only what was named is there", async () => {
    const { binds, links } = await shown("/usr/bin");
    const names = [...binds.map(({ target }) => target), ...links.map(({ path }) => path)];
    for (const path of [
      "/etc",
      "/etc/shadow",
      "/etc/ssh",
      "/etc/gitconfig",
      "/etc/sudoers",
      "/etc/npmrc",
      "/etc/ssl",
      "/etc/ssl/private",
      "/root",
      "/home",
      "/var",
      "/run",
      "/sys",
    ])
      expect(names).not.toContain(path);
  });
});

describe("what to do", () => {
  const facts: SystemFacts = {
    platform: "linux",
    packageManagers: [],
    settings: {},
    isContainer: false,
    isRoot: false,
    isSetuid: false,
  };

  it.each<[string, Partial<SystemFacts>, RegExp]>([
    ["Debian", { packageManagers: ["apt-get"] }, /^sudo apt-get install --yes bubblewrap$/],
    ["Debian as root", { packageManagers: ["apt-get"], isRoot: true }, /^apt-get install --yes bubblewrap$/],
    ["Fedora", { packageManagers: ["dnf", "yum"] }, /dnf install/],
    ["Alpine", { packageManagers: ["apk"] }, /^apk add bubblewrap$/],
    ["Arch", { packageManagers: ["pacman"] }, /pacman -S/],
    ["an unknown Linux", {}, /0\.8\.0 or later/],
    ["macOS", { platform: "darwin" }, /Linux/],
    ["Windows", { platform: "win32" }, /WSL/],
  ])("installs it on %s", (_, changes, remedy) => {
    expect(notInstalled({ ...facts, ...changes }).remedy).toMatch(remedy);
  });

  it.each<[string, Partial<SystemFacts>, string, RegExp]>([
    [
      "AppArmor of Ubuntu",
      { settings: { "kernel.apparmor_restrict_unprivileged_userns": "1" } },
      "bwrap: setting up uid map: Permission denied",
      /\/etc\/apparmor\.d\/bwrap[\s\S]*userns,/,
    ],
    [
      "an old Debian",
      { settings: { "kernel.unprivileged_userns_clone": "0" } },
      "bwrap: No permissions to creating new namespace",
      /unprivileged_userns_clone=1/,
    ],
    [
      "no namespaces at all",
      { settings: { "user.max_user_namespaces": "0" } },
      "bwrap: No space left on device",
      /max_user_namespaces/,
    ],
    ["a container", { isContainer: true, isRoot: true }, "bwrap: Can't mount proc on /newroot/proc", /--security-opt/],
    ["the setuid bit", { isSetuid: true }, "bwrap: --disable-userns is not supported in setuid mode", /chmod u-s/],
    ["anything else", {}, "", /baton sandbox test/],
  ])("allows it under %s", (_, changes, output, remedy) => {
    const diagnosis = notStarting({ ...facts, ...changes }, output);
    expect(diagnosis.remedy).toMatch(remedy);
    expect(diagnosis.problem).toContain(output.split("\n").at(-1) ?? "");
  });
});
