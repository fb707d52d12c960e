/**
 * The suite `image`: the steps of the container image, in a Debian of their own below a temporary folder, without Docker. Needs
 * root, debootstrap, and the registries of Debian and npm.
 */
import { existsSync, realpathSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { product } from "../../../src/core/product.ts";
import type { Suite } from "../suite.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const debian = "trixie";
const uid = "10001";
/** Hangs only. */
const timeout = 20 * 60_000;
/**
 * As a container runtime enters a root, with an unmasked /proc: the kernel gives no user namespaces within a chroot, and mounts no
 * /proc in one where a part of the first is hidden.
 */
const enter = `
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
mkdir -p "$0/old"
cd "$0"
pivot_root . old
cd /var/lib/baton 2>/dev/null || cd /
umount -l /old
exec "$@"
`;

export const image: Suite = {
  name: "image",
  summary: "The steps of the container image give an unprivileged Baton with git, Node and bubblewrap.",
  flags: [],
  async prove({ say }) {
    const wrong: string[] = [];
    await using undo = new AsyncDisposableStack();
    const work = await mkdtemp(join(tmpdir(), "baton-image-"));
    undo.defer(() => rm(work, { recursive: true, force: true, maxRetries: 5 }));
    const system = join(work, "root");
    await execa("debootstrap", ["--variant=minbase", "--include=ca-certificates", debian, system], { timeout });
    say(`Debian ${debian} is there`);
    await bringNode(system);
    await execa("npm", ["pack", "--pack-destination", work], { cwd: root, timeout });
    const folder = join(system, "usr/local/lib/baton");
    await mkdir(folder, { recursive: true });
    for (const name of ["install.sh", "health.mjs"]) await cp(join(root, "deploy/image", name), join(folder, name));
    const packed = (await readdir(work)).find((name) => name.endsWith(".tgz")) as string;
    await cp(join(work, packed), join(system, "baton.tgz"));

    const inside = (...words: string[]) =>
      execa("unshare", ["--mount", "--propagation", "private", "sh", "-ec", enter, system, ...words], {
        env: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/root", LANG: "C.UTF-8" },
        extendEnv: false,
        all: true,
        reject: false,
        timeout,
      });
    const user = [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${uid}`,
      "--clear-groups",
      "--bounding-set=-all",
      "--inh-caps=-all",
    ];
    const asBaton = (...words: string[]) =>
      inside(...user, "env", "HOME=/var/lib/baton", "BATON_DATA=/var/lib/baton/data", ...words);
    const expects = (
      what: string,
      { all, exitCode }: { all: string; exitCode?: number },
      code: number,
      text: RegExp,
    ) => {
      const isGood = exitCode === code && text.test(all);
      say(`${isGood ? "good" : "WRONG"}: ${what}: ${all.trim().split("\n").slice(-4).join(" · ").slice(-300)}`);
      if (!isGood) wrong.push(`${what} ended with ${exitCode}: ${all.slice(-1_500)}`);
    };
    expects("install.sh", await inside("/usr/local/lib/baton/install.sh", "/baton.tgz"), 0, /bubblewrap 0\.1\d/);
    const size = await execa("du", ["-sm", join(system, "usr/local/lib/node_modules")]);
    expects("baton --version", await asBaton("baton", "--version"), 0, new RegExp(product.version));
    expects("sandbox test", await asBaton("baton", "sandbox", "test"), 0, /(\d+) of \1 stopped/);
    expects("a start without App", await asBaton("sh", "-c", "timeout 20 baton start"), 124, /No APP_ID is set/);
    expects("health of nothing", await asBaton("node", "/usr/local/lib/baton/health.mjs"), 1, /^$/);
    return { held: wrong.length === 0, result: { debian, globalMegabytes: Number.parseInt(size.stdout, 10), wrong } };
  },
};

/** The image starts from Node's own; here Node and npm come from this machine. */
async function bringNode(system: string): Promise<void> {
  const { stdout: program } = await execa("sh", ["-c", "command -v npm"]);
  const npm = join(dirname(realpathSync(program)), "..");
  const local = join(system, "usr/local");
  await cp(process.execPath, join(local, "bin/node"), { dereference: true });
  await cp(npm, join(local, "lib/node_modules/npm"), { recursive: true });
  await execa("ln", ["-sf", "../lib/node_modules/npm/bin/npm-cli.js", join(local, "bin/npm")]);
  // How the registries are reached is this machine's affair.
  for (const path of ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs", "/root/.npmrc", "/usr/local/etc/npmrc"]) {
    if (!existsSync(path)) continue;
    await mkdir(dirname(join(system, path)), { recursive: true });
    await execa("cp", ["--recursive", "--dereference", "--remove-destination", path, dirname(join(system, path))]);
  }
}
