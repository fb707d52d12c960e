/** Requests that the kernel must refuse: mounts, namespaces, devices, modules, its own settings. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { type Probe, type ProbeHost, rootOnly, sources } from "./probe.ts";

/** Any answer other than a refusal shows that the kernel would have executed the call. */
const open = (call: string, text: string): string => `if (isOpen(${call})) brokeOut("${text}");`;

const opens = (path: string): string => `
  const file = attempt(() => fs.openSync(${JSON.stringify(path)}, "r+"));
  if (file !== undefined) brokeOut(${JSON.stringify(`${path} can be written`)});`;

const hasFile =
  (path: string) =>
  ({ isRoot, paths }: ProbeHost): string | null => {
    if (!isRoot) return "the kernel forbids it to an ordinary user";
    return paths.has(path) ? null : `this kernel has no ${path}`;
  };

export const kernelProbes: readonly Probe[] = [
  {
    name: "mount a file system",
    source: sources.escapeBench("CAP_SYS_ADMIN"),
    attack: `
      const code = syscall(number(165, 40), "none", targets.scratch, "tmpfs", 0, 0);
      if (code === 0) syscall(number(166, 39), targets.scratch, 2);
      ${open("code", "mount is allowed")}`,
    forbidden: rootOnly,
  },
  {
    name: "mount the host's disk",
    source: sources.escapeBench("privileged container"),
    attack: `
      const disks = fs.readFileSync("/proc/partitions", "latin1").trim().split("\\n").slice(2).map((line) => line.trim().split(/\\s+/));
      for (const [major, minor] of disks) {
        const node = path.join(targets.scratch, "disk");
        const device = (Number(major) << 8) | Number(minor);
        const code = syscall(number(259, 33), -100, node, 0o60600, device);
        if (code === 0) { fs.rmSync(node); brokeOut("a device of a disk was made"); break; }
      }`,
    forbidden: rootOnly,
  },
  {
    name: "make a read-only mount writable",
    source: sources.baton,
    attack: `
      const place = targets.readOnlyMount ?? "/usr";
      const code = syscall(number(165, 40), "none", place, "none", 32 | 4096, 0);
      ${open("code", "remount is allowed")}`,
    forbidden: rootOnly,
  },
  {
    name: "make a user namespace",
    source: sources.baton,
    attack: `${open("syscall(number(272, 97), 0x10000000)", "unshare made a user namespace")}
      if (run("unshare", "--user", "true").status === 0) brokeOut("unshare made a user namespace");`,
    forbidden: ({ isRoot, paths }) =>
      !isRoot && paths.has("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
        ? "AppArmor may forbid it to an ordinary user"
        : null,
  },
  {
    name: "enter another namespace",
    source: sources.escapeBench("PID namespace exposure"),
    attack: `
      const { stdout } = run("nsenter", "--target", String(targets.victim), "--pid", "--net", "echo", "entered");
      if (stdout.includes("entered")) brokeOut("nsenter entered the host's namespaces");`,
    forbidden: rootOnly,
  },
  {
    name: "change the root directory",
    source: sources.baton,
    attack: open('syscall(number(161, 51), "/")', "chroot is allowed"),
    forbidden: rootOnly,
  },
  {
    name: "make a device",
    source: sources.escapeBench("CAP_MKNOD"),
    attack: `
      const node = path.join(targets.scratch, "device");
      const code = syscall(number(259, 33), -100, node, 0o20600, (1 << 8) | 1);
      if (code === 0) brokeOut("a device was made");`,
    damage: async ({ scratch }) =>
      (await lstat(join(scratch, "device")).catch(() => null)) === null ? null : "a device was made",
    forbidden: rootOnly,
  },
  {
    name: "load a module of the kernel",
    source: sources.escapeBench("CAP_SYS_MODULE"),
    attack: open('syscall(number(175, 105), 0, 0, "")', "init_module is allowed"),
    forbidden: hasFile("/proc/modules"),
  },
  {
    name: "open a file by its handle",
    source: sources.escapeBench("CAP_DAC_READ_SEARCH"),
    attack: open("syscall(number(304, 265), -1, 0, 0)", "open_by_handle_at is allowed"),
    forbidden: rootOnly,
  },
  {
    name: "load an eBPF program",
    source: sources.escapeBench("eBPF verifier"),
    attack: open("syscall(number(321, 280), 0, 0, 0)", "bpf is allowed"),
    forbidden: rootOnly,
  },
  {
    name: "open a packet socket",
    source: sources.escapeBench("packet socket use-after-free"),
    attack: open("syscall(number(41, 198), 17, 3, 768)", "a packet socket was opened"),
    forbidden: rootOnly,
  },
  {
    name: "talk to the hypervisor",
    source: sources.baton,
    attack: open("syscall(number(41, 198), 40, 1, 0)", "a vsock was opened"),
    forbidden: ({ paths }) => (paths.has("/dev/vsock") ? null : "this kernel has no vsock"),
  },
  {
    name: "use io_uring",
    source: sources.baton,
    attack: open("syscall(425, 1, 0)", "io_uring is allowed"),
    forbidden: ({ paths }) => (paths.has("/proc/sys/kernel/io_uring_disabled") ? null : "this kernel has no io_uring"),
  },
  {
    name: "read the kernel's keys",
    source: sources.baton,
    attack: open("syscall(number(250, 219), 0, -3, 0)", "keyctl is allowed"),
  },
  {
    name: "push input into a terminal",
    source: "https://nvd.nist.gov/vuln/detail/CVE-2017-5226",
    attack: `
      const perl = "open(my $t, '+<', '/dev/ptmx') or exit 1; $! = 0; my $x = 'x'; my $r = ioctl($t, 0x5412, $x); print defined $r ? 0 : $!+0;";
      const python = "import fcntl,os,sys\\nf=os.open('/dev/ptmx',os.O_RDWR|os.O_NOCTTY)\\ntry:\\n fcntl.ioctl(f,0x5412,b'x')\\n print(0,end='')\\nexcept OSError as e: print(e.errno,end='')";
      let { stdout } = run("perl", "-e", perl);
      if (stdout === null || stdout === "") ({ stdout } = run("python3", "-c", python));
      if (/^\\d+$/.test(stdout ?? "")) { if (isOpen(Number(stdout))) brokeOut("TIOCSTI is allowed"); }
      else throw noInterpreter;`,
    forbidden: ({ isRoot }) => (isRoot ? null : "the kernel allows it only for the own terminal"),
  },
  {
    name: "change the program that takes cores",
    source: sources.escapeBench("CRI-O kernel parameter injection, CVE-2022-0811"),
    attack: opens("/proc/sys/kernel/core_pattern"),
    forbidden: rootOnly,
    isQuick: true,
  },
  {
    name: "change other settings of the kernel",
    source: sources.escapeBench("CRI-O kernel parameter injection, CVE-2022-0811"),
    attack: `
      for (const name of ["kernel/modprobe", "kernel/hostname", "kernel/hotplug", "vm/drop_caches", "fs/binfmt_misc/register", "net/ipv4/conf/all/route_localnet", "net/ipv4/ip_forward"])
        if (attempt(() => fs.closeSync(fs.openSync("/proc/sys/" + name, "r+"))) === undefined && attempt(() => fs.accessSync("/proc/sys/" + name, fs.constants.W_OK)) === undefined) {
          const opened = attempt(() => fs.openSync("/proc/sys/" + name, "r+"));
          if (opened !== undefined) brokeOut("/proc/sys/" + name + " can be written");
        }`,
    forbidden: rootOnly,
    isQuick: true,
  },
  {
    name: "reach localhost of the host by route_localnet (CVE-2020-8558)",
    source: sources.escapeBench("route_localnet"),
    attack: opens("/proc/sys/net/ipv4/conf/all/route_localnet"),
    forbidden: rootOnly,
  },
  {
    name: "use the system request key",
    source: sources.baton,
    attack: opens("/proc/sysrq-trigger"),
    forbidden: hasFile("/proc/sysrq-trigger"),
    isQuick: true,
  },
  {
    name: "read the memory of the kernel",
    source: sources.baton,
    attack: `
      for (const file of ["/proc/kcore", "/dev/mem", "/dev/kmem", "/proc/kmsg"]) {
        const opened = attempt(() => fs.openSync(file, "r"));
        if (opened !== undefined && !attempt(() => fs.fstatSync(opened).rdev === fs.statSync("/dev/null").rdev)) brokeOut(file + " can be read");
      }`,
    forbidden: ({ isRoot, paths }) =>
      isRoot && (paths.has("/proc/kmsg") || paths.has("/proc/kcore")) ? null : "an ordinary user cannot read it",
  },
  {
    name: "take the host over by release_agent of a control group",
    source: sources.escapeBench("cgroup release_agent"),
    attack: `
      for (const name of ["cpu", "memory", "pids", "devices", "freezer", "rdma", "misc", "."])
        if (attempt(() => fs.openSync("/sys/fs/cgroup/" + name + "/release_agent", "r+")) !== undefined) brokeOut("release_agent of " + name + " can be written");`,
    forbidden: ({ isRoot, hasReleaseAgent }) =>
      isRoot && hasReleaseAgent ? null : "no control group of version 1 that may be written",
  },
  {
    name: "leave the limits by another control group",
    source: sources.baton,
    attack: `
      const found = attempt(() => fs.readdirSync("/sys/fs/cgroup")) ?? [];
      for (const name of [".", ...found])
        if (attempt(() => fs.openSync("/sys/fs/cgroup/" + name + "/cgroup.procs", "r+")) !== undefined) brokeOut("cgroup " + name + " can be joined");`,
    forbidden: ({ isRoot, paths }) => (isRoot && paths.has("/sys/fs/cgroup") ? null : "control groups belong to root"),
  },
  {
    name: "write a cached page of a read-only file (Dirty COW, Dirty Pipe)",
    source: sources.escapeBench("Dirty COW and Dirty Pipe"),
    attack: `
      const file = path.join(targets.objects, "canary");
      const handle = attempt(() => fs.openSync(file, "r+"));
      if (handle !== undefined) brokeOut("a readable file opens for writing");
      const memory = attempt(() => fs.openSync("/proc/self/mem", "r+"));
      if (memory !== undefined && attempt(() => fs.writeSync(memory, "x", 0)) !== undefined) brokeOut("its own code was changed");`,
  },
  {
    name: "use the socket of a container engine",
    source: sources.escapeBench("Docker socket"),
    attack: `
      for (const file of [targets.engineSocket, "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"])
        await talk({ path: file }, "GET /info HTTP/1.0\\r\\n\\r\\n");`,
  },
  {
    name: "use the token of a Kubernetes account",
    source: sources.escapeBench("Kubernetes RBAC"),
    attack: `
      for (const directory of ["/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets", targets.database])
        for (const name of attempt(() => fs.readdirSync(directory)) ?? []) tell(attempt(() => fs.readFileSync(path.join(directory, name), "latin1")));`,
  },
];
