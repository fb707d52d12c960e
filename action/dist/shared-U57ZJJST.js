import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
import{a as k}from"./shared-O4F3IR7A.js";import{a as o,b as u,d as E}from"./shared-FIPH4I23.js";import{a as r}from"./shared-YDTN7UIM.js";import{existsSync as L}from"node:fs";import{readFile as U}from"node:fs/promises";import{networkInterfaces as X}from"node:os";var w="probe-broke-out",A="probe-begin",T="probe-end",M="probe-lacks-interpreter";function F(e){let t=e.map(n=>`async () => { ${n} }`).join(`,
`);return`${te}
(async () => {
  for (const [index, attack] of [${t}].entries()) {
    console.log("\\n${A} " + index);
    await attack().catch((error) => { if (error === noInterpreter) console.log("${M}"); });
    console.log("\\n${T} " + index);
  }
  process.exit(0);
})();`}r(F,"attackProgram");function N(e,t){let n=e.indexOf(`
${A} ${t}
`),s=e.indexOf(`
${T} ${t}
`,n);if(n===-1||s===-1)return null;let c=e.slice(n,s);return c.includes(M)?null:c}r(N,"outputOf");var te=`
const fs = require("node:fs");
const net = require("node:net");
const dgram = require("node:dgram");
const path = require("node:path");
const { spawn, spawnSync } = require("node:child_process");
const targets = JSON.parse(process.env.PROBE_TARGETS);
const noInterpreter = new Error("neither perl nor python3 is here");
const brokeOut = (text) => console.log("${w} " + text);
const tell = (text) => console.log(String(text));
const attempt = (act) => { try { return act(); } catch (error) { return undefined; } };
const isOther = (pid) => {
  const words = attempt(() => fs.readFileSync("/proc/" + pid + "/cmdline", "latin1"));
  return words === undefined || words.includes(targets.victimMark);
};
/** The process outside, under its number there and under each number that looks like it. */
const victims = () => [targets.victim, ...fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map(Number)
  .filter((pid) => attempt(() => fs.readFileSync("/proc/" + pid + "/cmdline", "latin1").includes(targets.victimMark)))].filter(isOther);
const run = (program, ...words) => spawnSync(program, words, { encoding: "latin1", timeout: 5000 });
/** 0 for success, a number of the kernel for a refusal, null where no interpreter is there. */
const syscall = (number, ...words) => {
  const perl = "my @a = map { /^-?\\\\d+$/ ? $_+0 : $_ } @ARGV; $! = 0; my $r = syscall($a[0], @a[1..$#a]); print $r == -1 ? $!+0 : 0;";
  const python = "import ctypes,sys\\nc=ctypes.CDLL(None,use_errno=True)\\na=[int(x) if x.lstrip('-').isdigit() else x.encode() for x in sys.argv[1:]]\\nr=c.syscall(*a)\\nprint(ctypes.get_errno() if r==-1 else 0,end='')";
  for (const [program, ...first] of [["perl", "-e", perl], ["python3", "-c", python]]) {
    const { stdout, status } = run(program, ...first, String(number), ...words.map(String));
    if (status === 0 && /^\\d+$/.test(stdout)) return Number(stdout);
  }
  throw noInterpreter;
};
const number = (x64, arm64) => process.arch === "arm64" ? arm64 : x64;
const refusals = { EPERM: 1, EACCES: 13, ENOSYS: 38, EAFNOSUPPORT: 97 };
/** Anything but a refusal shows that the kernel would have done it. */
const isOpen = (code) => !Object.values(refusals).includes(code);
const talk = (options, text = "") => new Promise((resolve) => {
  const socket = net.connect(options);
  let heard = "";
  socket.setTimeout(1500, () => socket.destroy());
  socket.on("connect", () => text !== "" && socket.write(text));
  socket.on("data", (chunk) => { heard += chunk; tell(chunk); });
  socket.on("error", (error) => { heard += " error " + error.code; });
  socket.on("close", () => resolve(heard));
});
`;import{lstat as re,readFile as V,symlink as v,writeFile as ne}from"node:fs/promises";import{join as p}from"node:path";var P=r(e=>`tell(fs.readFileSync(path.join(targets.${e}, "canary"), "latin1"));`,"reads"),h=r((e,t)=>async n=>await re(p(e(n),t)).catch(()=>null)===null?null:`${t} was written outside`,"intruder"),W=[{name:"read a file in Baton's home",source:o.sandboxBench("discovery, credentials in files"),attack:P("home"),isQuick:!0},{name:"read Baton's database",source:o.baton,attack:P("database"),isQuick:!0},{name:"read another run's tree",source:o.case("agent-writes-into-anothers-run"),attack:P("otherTree"),isQuick:!0},{name:"find a secret anywhere below the root",source:o.sandboxBench("discovery, secrets in the file system"),attack:`
      for (const place of [targets.home, targets.database, path.dirname(targets.database), "/root", "/home", "/etc/shadow", "/etc/ssh"]) {
        const names = attempt(() => fs.readdirSync(place)) ?? [];
        for (const name of ["canary", ...names]) {
          const text = attempt(() => fs.readFileSync(path.join(place, name), "latin1"));
          if (text !== undefined && text.includes("baton-canary-")) tell(text);
        }
      }`},{name:"read the password file",source:o.sandboxBench("discovery, system accounts"),attack:'if (/^root:/m.test(fs.readFileSync("/etc/shadow", "latin1"))) brokeOut("/etc/shadow was read");',forbidden:r(({isRoot:e})=>e?null:"an ordinary user cannot read it","forbidden")},{name:"write next to the tree",source:o.case("agent-writes-into-anothers-run"),attack:'fs.writeFileSync(path.join(targets.tree, "..", "intruder-beside"), "x");',damage:h(({tree:e})=>p(e,".."),"intruder-beside"),isQuick:!0},{name:"write into another run's tree",source:o.case("agent-writes-into-anothers-run"),attack:'fs.writeFileSync(path.join(targets.otherTree, "intruder-other"), "x");',damage:h(({otherTree:e})=>e,"intruder-other"),isQuick:!0},{name:"write into a trusted repository",source:o.case("agent-leads-write-token-elsewhere"),attack:'fs.appendFileSync(path.join(targets.trusted, "config"), "[intruder]\\n");',damage:r(async({trusted:e})=>(await V(p(e,"config"),"utf8")).includes("[intruder]")?"the configuration was changed":null,"damage")},{name:"write through a link that was planted before the start",source:o.baton,plant:r(async({tree:e,database:t})=>await v(t,p(e,"planted")),"plant"),attack:'fs.writeFileSync(path.join(targets.tree, "planted", "intruder-planted"), "x");',damage:h(({database:e})=>e,"intruder-planted"),isQuick:!0},{name:"read through a link that was planted before the start",source:o.escapeBench("kubectl cp directory traversal"),plant:r(async({tree:e,database:t})=>await v(p(t,"canary"),p(e,"planted-file")),"plant"),attack:'tell(fs.readFileSync(path.join(targets.tree, "planted-file"), "latin1"));'},{name:"become writable through a link where Baton mounts (CVE-2026-87766)",source:"https://nvd.nist.gov/vuln/detail/CVE-2026-87766",plant:r(async({tree:e,otherTree:t})=>await v(t,p(e,"cache")),"plant"),writable:r(({tree:e})=>[p(e,"cache")],"writable"),attack:'fs.writeFileSync(path.join(targets.tree, "cache", "intruder-mount"), "x");',damage:h(({otherTree:e})=>e,"intruder-mount")},{name:"create a file outside by a mount point below a planted link (CVE-2026-87766)",source:"https://nvd.nist.gov/vuln/detail/CVE-2026-87766",plant:r(async({tree:e,trusted:t})=>await v(t,p(e,"module")),"plant"),writable:r(({tree:e})=>[p(e,"module","made-by-mount")],"writable"),attack:'fs.mkdirSync(path.join(targets.tree, "module", "made-by-mount"), { recursive: true });',damage:h(({trusted:e})=>e,"made-by-mount")},{name:"write through a hard link to a readable file",source:o.baton,attack:`
      const link = path.join(targets.tree, "hard-link");
      fs.linkSync(path.join(targets.objects, "canary"), link);
      fs.appendFileSync(link, "intruder-hard");`,damage:r(async({objects:e})=>(await V(p(e,"canary"),"utf8")).includes("intruder-hard")?"a readable file was changed":null,"damage")},{name:"write what is only readable",source:o.baton,attack:'fs.writeFileSync(path.join(targets.objects, "intruder-objects"), "x");',damage:h(({objects:e})=>e,"intruder-objects"),isQuick:!0},{name:"move another run's tree",source:o.case("agent-writes-into-anothers-run"),plant:r(async({otherTree:e})=>await ne(p(e,"movable"),"x"),"plant"),attack:'fs.renameSync(path.join(targets.otherTree, "movable"), path.join(targets.otherTree, "intruder-moved"));',damage:h(({otherTree:e})=>e,"intruder-moved")},{name:"write into the toolchain",source:o.escapeBench("writable host mount"),attack:`
      const file = "/usr/local/" + targets.victimMark;
      fs.writeFileSync(file, "x");
      fs.rmSync(file);
      brokeOut("/usr/local is writable");`,forbidden:r(({isRoot:e})=>e?null:"an ordinary user cannot write it","forbidden")},{name:"replace the program that runs the sandbox (CVE-2019-5736)",source:o.escapeBench("runc CVE-2019-5736"),attack:`
      for (const pid of [1, process.ppid, ...victims()]) {
        const file = attempt(() => fs.readlinkSync("/proc/" + pid + "/exe"));
        if (file === undefined) continue;
        if (attempt(() => fs.accessSync(file, fs.constants.W_OK)) !== undefined) continue;
        const handle = attempt(() => fs.openSync("/proc/" + pid + "/exe", "r"));
        const probe = file + "." + targets.victimMark;
        if (attempt(() => { fs.writeFileSync(probe, "x"); fs.rmSync(probe); return true; })) brokeOut(probe + " was written");
        if (handle !== undefined) fs.closeSync(handle);
      }`,forbidden:r(({isRoot:e})=>e?null:"the program belongs to root","forbidden")},{name:"leave by a directory that was left open (CVE-2024-21626)",source:o.escapeBench("runc CVE-2024-21626"),attack:`
      for (const pid of ["self", "1", String(process.ppid), ...victims()])
        for (const kind of ["cwd", "root", ...(attempt(() => fs.readdirSync("/proc/" + pid + "/fd")) ?? []).map((name) => "fd/" + name)])
          for (const up of ["", "../", "../../", "../../../", "../../../../"])
            for (const name of [path.join(targets.database, "canary").slice(1), "canary"]) {
              const text = attempt(() => fs.readFileSync("/proc/" + pid + "/" + kind + "/" + up + name, "latin1"));
              if (text !== undefined) tell(text);
            }`}];import{lstat as oe}from"node:fs/promises";import{join as se}from"node:path";var m=r((e,t)=>`if (isOpen(${e})) brokeOut("${t}");`,"open"),S=r(e=>`
  const file = attempt(() => fs.openSync(${JSON.stringify(e)}, "r+"));
  if (file !== undefined) brokeOut(${JSON.stringify(`${e} can be written`)});`,"opens"),I=r(e=>({isRoot:t,paths:n})=>t?n.has(e)?null:`this kernel has no ${e}`:"the kernel forbids it to an ordinary user","hasFile"),D=[{name:"mount a file system",source:o.escapeBench("CAP_SYS_ADMIN"),attack:`
      const code = syscall(number(165, 40), "none", targets.scratch, "tmpfs", 0, 0);
      if (code === 0) syscall(number(166, 39), targets.scratch, 2);
      ${m("code","mount is allowed")}`,forbidden:u},{name:"mount the host's disk",source:o.escapeBench("privileged container"),attack:`
      const disks = fs.readFileSync("/proc/partitions", "latin1").trim().split("\\n").slice(2).map((line) => line.trim().split(/\\s+/));
      for (const [major, minor] of disks) {
        const node = path.join(targets.scratch, "disk");
        const device = (Number(major) << 8) | Number(minor);
        const code = syscall(number(259, 33), -100, node, 0o60600, device);
        if (code === 0) { fs.rmSync(node); brokeOut("a device of a disk was made"); break; }
      }`,forbidden:u},{name:"make a read-only mount writable",source:o.baton,attack:`
      const place = targets.readOnlyMount ?? "/usr";
      const code = syscall(number(165, 40), "none", place, "none", 32 | 4096, 0);
      ${m("code","remount is allowed")}`,forbidden:u},{name:"make a user namespace",source:o.baton,attack:`${m("syscall(number(272, 97), 0x10000000)","unshare made a user namespace")}
      if (run("unshare", "--user", "true").status === 0) brokeOut("unshare made a user namespace");`,forbidden:r(({isRoot:e,paths:t})=>!e&&t.has("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")?"AppArmor may forbid it to an ordinary user":null,"forbidden")},{name:"enter another namespace",source:o.escapeBench("PID namespace exposure"),attack:`
      const { stdout } = run("nsenter", "--target", String(targets.victim), "--pid", "--net", "echo", "entered");
      if (stdout.includes("entered")) brokeOut("nsenter entered the host's namespaces");`,forbidden:u},{name:"change the root directory",source:o.baton,attack:m('syscall(number(161, 51), "/")',"chroot is allowed"),forbidden:u},{name:"make a device",source:o.escapeBench("CAP_MKNOD"),attack:`
      const node = path.join(targets.scratch, "device");
      const code = syscall(number(259, 33), -100, node, 0o20600, (1 << 8) | 1);
      if (code === 0) brokeOut("a device was made");`,damage:r(async({scratch:e})=>await oe(se(e,"device")).catch(()=>null)===null?null:"a device was made","damage"),forbidden:u},{name:"load a module of the kernel",source:o.escapeBench("CAP_SYS_MODULE"),attack:m('syscall(number(175, 105), 0, 0, "")',"init_module is allowed"),forbidden:I("/proc/modules")},{name:"open a file by its handle",source:o.escapeBench("CAP_DAC_READ_SEARCH"),attack:m("syscall(number(304, 265), -1, 0, 0)","open_by_handle_at is allowed"),forbidden:u},{name:"load an eBPF program",source:o.escapeBench("eBPF verifier"),attack:m("syscall(number(321, 280), 0, 0, 0)","bpf is allowed"),forbidden:u},{name:"open a packet socket",source:o.escapeBench("packet socket use-after-free"),attack:m("syscall(number(41, 198), 17, 3, 768)","a packet socket was opened"),forbidden:u},{name:"talk to the hypervisor",source:o.baton,attack:m("syscall(number(41, 198), 40, 1, 0)","a vsock was opened"),forbidden:r(({paths:e})=>e.has("/dev/vsock")?null:"this kernel has no vsock","forbidden")},{name:"use io_uring",source:o.baton,attack:m("syscall(425, 1, 0)","io_uring is allowed"),forbidden:r(({paths:e})=>e.has("/proc/sys/kernel/io_uring_disabled")?null:"this kernel has no io_uring","forbidden")},{name:"read the kernel's keys",source:o.baton,attack:m("syscall(number(250, 219), 0, -3, 0)","keyctl is allowed")},{name:"push input into a terminal",source:"https://nvd.nist.gov/vuln/detail/CVE-2017-5226",attack:`
      const perl = "open(my $t, '+<', '/dev/ptmx') or exit 1; $! = 0; my $x = 'x'; my $r = ioctl($t, 0x5412, $x); print defined $r ? 0 : $!+0;";
      const python = "import fcntl,os,sys\\nf=os.open('/dev/ptmx',os.O_RDWR|os.O_NOCTTY)\\ntry:\\n fcntl.ioctl(f,0x5412,b'x')\\n print(0,end='')\\nexcept OSError as e: print(e.errno,end='')";
      let { stdout } = run("perl", "-e", perl);
      if (stdout === null || stdout === "") ({ stdout } = run("python3", "-c", python));
      if (/^\\d+$/.test(stdout ?? "")) { if (isOpen(Number(stdout))) brokeOut("TIOCSTI is allowed"); }
      else throw noInterpreter;`,forbidden:r(({isRoot:e})=>e?null:"the kernel allows it only for the own terminal","forbidden")},{name:"change the program that takes cores",source:o.escapeBench("CRI-O kernel parameter injection, CVE-2022-0811"),attack:S("/proc/sys/kernel/core_pattern"),forbidden:u,isQuick:!0},{name:"change other settings of the kernel",source:o.escapeBench("CRI-O kernel parameter injection, CVE-2022-0811"),attack:`
      for (const name of ["kernel/modprobe", "kernel/hostname", "kernel/hotplug", "vm/drop_caches", "fs/binfmt_misc/register", "net/ipv4/conf/all/route_localnet", "net/ipv4/ip_forward"])
        if (attempt(() => fs.closeSync(fs.openSync("/proc/sys/" + name, "r+"))) === undefined && attempt(() => fs.accessSync("/proc/sys/" + name, fs.constants.W_OK)) === undefined) {
          const opened = attempt(() => fs.openSync("/proc/sys/" + name, "r+"));
          if (opened !== undefined) brokeOut("/proc/sys/" + name + " can be written");
        }`,forbidden:u,isQuick:!0},{name:"reach localhost of the host by route_localnet (CVE-2020-8558)",source:o.escapeBench("route_localnet"),attack:S("/proc/sys/net/ipv4/conf/all/route_localnet"),forbidden:u},{name:"use the system request key",source:o.baton,attack:S("/proc/sysrq-trigger"),forbidden:I("/proc/sysrq-trigger"),isQuick:!0},{name:"read the memory of the kernel",source:o.baton,attack:`
      for (const file of ["/proc/kcore", "/dev/mem", "/dev/kmem", "/proc/kmsg"]) {
        const opened = attempt(() => fs.openSync(file, "r"));
        if (opened !== undefined && !attempt(() => fs.fstatSync(opened).rdev === fs.statSync("/dev/null").rdev)) brokeOut(file + " can be read");
      }`,forbidden:r(({isRoot:e,paths:t})=>e&&(t.has("/proc/kmsg")||t.has("/proc/kcore"))?null:"an ordinary user cannot read it","forbidden")},{name:"take the host over by release_agent of a control group",source:o.escapeBench("cgroup release_agent"),attack:`
      for (const name of ["cpu", "memory", "pids", "devices", "freezer", "rdma", "misc", "."])
        if (attempt(() => fs.openSync("/sys/fs/cgroup/" + name + "/release_agent", "r+")) !== undefined) brokeOut("release_agent of " + name + " can be written");`,forbidden:r(({isRoot:e,hasReleaseAgent:t})=>e&&t?null:"no control group of version 1 that may be written","forbidden")},{name:"leave the limits by another control group",source:o.baton,attack:`
      const found = attempt(() => fs.readdirSync("/sys/fs/cgroup")) ?? [];
      for (const name of [".", ...found])
        if (attempt(() => fs.openSync("/sys/fs/cgroup/" + name + "/cgroup.procs", "r+")) !== undefined) brokeOut("cgroup " + name + " can be joined");`,forbidden:r(({isRoot:e,paths:t})=>e&&t.has("/sys/fs/cgroup")?null:"control groups belong to root","forbidden")},{name:"write a cached page of a read-only file (Dirty COW, Dirty Pipe)",source:o.escapeBench("Dirty COW and Dirty Pipe"),attack:`
      const file = path.join(targets.objects, "canary");
      const handle = attempt(() => fs.openSync(file, "r+"));
      if (handle !== undefined) brokeOut("a readable file opens for writing");
      const memory = attempt(() => fs.openSync("/proc/self/mem", "r+"));
      if (memory !== undefined && attempt(() => fs.writeSync(memory, "x", 0)) !== undefined) brokeOut("its own code was changed");`},{name:"use the socket of a container engine",source:o.escapeBench("Docker socket"),attack:`
      for (const file of [targets.engineSocket, "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"])
        await talk({ path: file }, "GET /info HTTP/1.0\\r\\n\\r\\n");`},{name:"use the token of a Kubernetes account",source:o.escapeBench("Kubernetes RBAC"),attack:`
      for (const directory of ["/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets", targets.database])
        for (const name of attempt(() => fs.readdirSync(directory)) ?? []) tell(attempt(() => fs.readFileSync(path.join(directory, name), "latin1")));`}];import{rm as ae,stat as ie}from"node:fs/promises";import{join as Q}from"node:path";import{setTimeout as ce}from"node:timers/promises";var f=o.case("agent-reads-memory-and-stops-baton"),q=r(async e=>{let t=x.get(e),n=t===void 0?null:await k(t);return n===null||n.ended?"ended":n.stopped?"stopped":"well"},"stateOf"),x=new WeakMap,H=r(e=>`for (const pid of victims()) attempt(() => process.kill(pid, ${e}));`,"signals"),G=[{name:"read Baton's environment",source:f,attack:'for (const pid of victims()) tell(attempt(() => fs.readFileSync("/proc/" + pid + "/environ", "latin1")));',isQuick:!0},{name:"read Baton's memory",source:f,attack:`
      for (const pid of victims()) {
        const maps = attempt(() => fs.readFileSync("/proc/" + pid + "/maps", "latin1"));
        if (maps === undefined) continue;
        const memory = fs.openSync("/proc/" + pid + "/mem", "r");
        for (const line of maps.split("\\n")) {
          const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
          if (range === null) continue;
          const from = Number.parseInt(range[1], 16);
          const size = Number.parseInt(range[2], 16) - from;
          if (size > 64 * 1024 * 1024) continue;
          const chunk = Buffer.alloc(size);
          if (attempt(() => fs.readSync(memory, chunk, 0, size, from)) === undefined) continue;
          const found = chunk.indexOf("baton-canary-");
          if (found !== -1) tell(chunk.subarray(found, found + 64).toString("latin1"));
        }
      }`,isQuick:!0},{name:"read a file that Baton has open",source:f,attack:`
      for (const pid of victims())
        for (const name of attempt(() => fs.readdirSync("/proc/" + pid + "/fd")) ?? []) {
          const link = "/proc/" + pid + "/fd/" + name;
          if (attempt(() => fs.readlinkSync(link).startsWith("/")) !== true) continue;
          tell(attempt(() => fs.readFileSync(link, "latin1")));
        }`},{name:"walk into Baton's directory",source:f,attack:'for (const pid of victims()) tell(attempt(() => fs.readFileSync("/proc/" + pid + "/cwd/canary", "latin1")));'},{name:"read the command lines of other processes",source:o.sandboxBench("discovery, secrets of processes"),attack:`
      const all = fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((name) => attempt(() => fs.readFileSync("/proc/" + name + "/cmdline", "latin1")));
      if (all.some((words) => words !== undefined && words.split("\\0").includes(targets.victimMark))) brokeOut("a process outside is visible");`,isQuick:!0},{name:"find Baton with signal 0",source:f,attack:'for (const pid of victims()) if (attempt(() => process.kill(pid, 0))) brokeOut("process " + pid + " can be signaled");',isQuick:!0},{name:"stop Baton",isAlone:!0,source:f,attack:H('"SIGSTOP"'),damage:r(async e=>await q(e)==="stopped"?"the process outside was stopped":null,"damage"),isQuick:!0},{name:"kill Baton",isAlone:!0,source:f,attack:H('"SIGKILL"'),damage:r(async e=>await q(e)==="ended"?"the process outside was killed":null,"damage"),isQuick:!0},{name:"trace Baton",isAlone:!0,source:f,attack:`
      for (const pid of victims()) {
        const attached = syscall(number(101, 117), 16, pid, 0, 0);
        if (attached === 0) brokeOut("ptrace attached to " + pid);
      }`,forbidden:r(({isRoot:e,paths:t})=>!e&&t.has("/proc/sys/kernel/yama/ptrace_scope")?"Yama may forbid it to an ordinary user":null,"forbidden")},{name:"use a process of the host's PID namespace",source:o.escapeBench("PID namespace exposure"),attack:`
      for (const pid of victims()) {
        tell(attempt(() => fs.readFileSync("/proc/" + pid + "/root" + targets.database + "/canary", "latin1")));
        const { stdout } = run("nsenter", "--target", String(pid), "--mount", "cat", targets.database + "/canary");
        tell(stdout);
      }`},{name:"outlive the attempt with a cleared environment and a session of its own",isAlone:!0,source:o.case("daemon-without-marker-survives"),attack:`
      const script = "echo x >alive.go; while [ -e alive.go ]; do echo x >>alive; sleep 0.05; done";
      const child = spawn("setsid", ["sh", "-c", script], { env: { PATH: process.env.PATH }, cwd: targets.tree, detached: true, stdio: "ignore" });
      child.unref();
      while (attempt(() => fs.statSync(path.join(targets.tree, "alive"))) === undefined) await new Promise((resolve) => setTimeout(resolve, 10));`,damage:r(async({tree:e})=>await de(e),"damage")}];async function de(e){let t=Q(e,"alive"),n=r(async()=>(await ie(t).catch(()=>null))?.size??0,"size"),s=await n();await ce(500);let c=await n()>s;return await ae(Q(e,"alive.go"),{force:!0}),c?"a process outlived the attempt":null}r(de,"survivor");import{randomBytes as K}from"node:crypto";import{mkdir as le,mkdtemp as O,realpath as z,rm as J,writeFile as Y}from"node:fs/promises";import{homedir as ue,tmpdir as pe}from"node:os";import{join as y}from"node:path";import{PassThrough as me}from"node:stream";async function B(e){let t=await O(y(await z(pe()),"baton-probe-")),n=await O(y(await z(ue()),".baton-probe-")).catch(async()=>await O(y(t,"home-"))),s=`baton-canary-${K(12).toString("hex")}`,c=`victim-${K(6).toString("hex")}`,i=r(d=>y(t,d),"at"),a={tree:i("runs/own/tree"),scratch:i("runs/own/scratch"),objects:i("objects"),database:i("database"),otherTree:i("runs/other/tree"),trusted:i("trusted.git")};for(let d of Object.values(a))await le(d,{recursive:!0});for(let d of[n,a.database,a.otherTree,a.trusted,a.objects])await Y(y(d,"canary"),s);await Y(y(a.trusted,"config"),`[core]
	bare = true
`);let l=new _(e,{base:t,canary:s,victimMark:c,database:a.database});return{...a,home:n,canary:s,victimMark:c,victim:r(async()=>await l.living(),"victim"),async close(){await l.end(),await J(t,{recursive:!0,force:!0}),await J(n,{recursive:!0,force:!0})}}}r(B,"createWorld");var _=class{static{r(this,"VictimKeeper")}#r;#n;#e=null;#t=0;constructor(t,n){this.#r=t,this.#n=n}async living(){return this.#e!==null&&!await fe(this.#e.victim.pid)&&await this.end(),this.#e??=await this.#o(),this.#e.victim}async end(){await this.#e?.end(),this.#e=null}async#o(){let{base:t,canary:n,victimMark:s,database:c}=this.#n;this.#t+=1;let i=y(t,`victim-${this.#t}.sock`),a=`${s}-${this.#t}`,l=new AbortController,d=new me,$="",j=r(()=>{},"ready"),ee=new Promise(g=>{j=g}),C=this.#r.follow({command:[process.execPath,"-e",he,s],cwd:c,env:{PROBE_CANARY:n,PROBE_SOCKET:i,PROBE_ABSTRACT:a},input:d,timeoutMs:15*6e4,silenceMs:15*6e4,killGraceMs:1,marker:s,signal:l.signal,onLine(g){g.startsWith("{")?j(JSON.parse(g)):$+=g}}),R=await Promise.race([ee,C.then(()=>null)]);if(R===null)throw new Error("The process that the probes attack did not start.");return{victim:{...R,abstractName:a,socketPath:i,canary:n,heardByUdp:r(()=>$,"heardByUdp")},async end(){l.abort(),d.end(),await C}}}};async function fe(e){let t=await k(e);return t!==null&&!t.ended&&!t.stopped}r(fe,"isWell");var he=`
const fs = require("node:fs");
const net = require("node:net");
const dgram = require("node:dgram");
const canary = process.env.PROBE_CANARY;
globalThis.kept = Buffer.from(canary + "-in-memory");
fs.openSync("canary", "r");
const answer = (socket) => { socket.on("error", () => {}); socket.end("HTTP/1.1 200 OK\\r\\ncontent-length: " + canary.length + "\\r\\nconnection: close\\r\\n\\r\\n" + canary); };
const listen = (where) => new Promise((resolve) => { const server = net.createServer((socket) => answer(socket)); server.listen(where, () => resolve(server)); });
(async () => {
  const tcp = await listen({ port: 0, host: "::" }).catch(() => null) ?? await listen({ port: 0, host: "0.0.0.0" });
  await listen({ path: process.env.PROBE_SOCKET });
  await listen({ path: "\\0" + process.env.PROBE_ABSTRACT });
  const udp = dgram.createSocket("udp4");
  udp.on("message", (text) => console.log("udp " + text));
  await new Promise((resolve) => udp.bind(0, resolve));
  console.log(JSON.stringify({ pid: process.pid, tcpPort: tcp.address().port, udpPort: udp.address().port }));
})();
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
`;var ye=[...W,...G,...D,...E];async function ot(e){let t=ye.filter(({isQuick:s})=>s===!0),n=await B(e.children);try{return await Z(e,n,[...t.filter(({isAlone:s})=>s!==!0),...t.filter(({isAlone:s})=>s===!0)])}finally{await n.close()}}r(ot,"runQuickProbes");async function st(e,t,n=()=>{}){let s=[],c=await B(e.children);try{for(let i of be(t))for(let a of await Z(e,c,i))s.push(a),n(a);return s}finally{await c.close()}}r(st,"runProbes");function be(e){let t=[],n=new Map;for(let s of e){let c=JSON.stringify(s.hosts??[]),i=s.isAlone===!0||s.writable!==void 0?void 0:n.get(c);if(i!==void 0)i.push(s);else{let a=[s];t.push(a),s.isAlone!==!0&&s.writable===void 0&&n.set(c,a)}}return t}r(be,"batches");async function Z(e,t,n){let s;try{for(let i of n)await i.plant?.(t);s=await ke(e,t,n)}catch(i){let a=i instanceof Error?i:new Error(String(i)),l="code"in a&&a.code==="BATON_SANDBOX_REFUSED";return n.map(d=>l&&d.writable!==void 0?b(d,"stopped",null):b(d,"could not run",a.message.slice(0,300)))}let c=[];for(let[i,a]of n.entries())c.push(await ge(t,a,s,i));return c}r(Z,"runBatch");async function ge(e,t,{text:n,problem:s},c){let i=await t.damage?.(e)??null;if(i!==null)return b(t,"not stopped",i);let a=N(n,c);if(a===null)return b(t,"could not run",s);let l=a.split(`
`).find(d=>d.startsWith(w));return l!==void 0?b(t,"not stopped",l.slice(w.length+1)):a.includes(e.canary)?b(t,"not stopped","the canary was read"):b(t,"stopped",null)}r(ge,"judge");function b({name:e,source:t},n,s){return{name:e,source:t,verdict:n,detail:s}}r(b,"resultOf");async function ke(e,t,n){let s=await t.victim();x.set(t,s.pid);let c={...t,victim:s.pid,tcpPort:s.tcpPort,udpPort:s.udpPort,abstractName:s.abstractName,socketPath:s.socketPath,engineSocket:s.socketPath,addresses:we(),resolvers:await ve(),canary:void 0},i=e.confine?.({writable:[t.tree,t.scratch,...n.flatMap(d=>d.writable?.(t)??[])],readable:[t.objects],network:{hosts:n[0]?.hosts??[],loopbackPorts:[]},resources:{memoryBytesMax:2**30,processesMax:64,diskBytesMax:2**30}})??null,a=await e.children.call({command:[e.nodePath,"-e",F(n.map(d=>d.attack))],cwd:t.tree,env:{PATH:process.env.PATH??"/usr/bin:/bin",HOME:t.scratch,PROBE_TARGETS:JSON.stringify(c)},timeoutMs:5*6e4,killGraceMs:100,outputBytesMax:64*1024*1024,confinement:i}),l=a.stderr.toString("utf8").trim().split(`
`).at(-1)??"";return{text:a.stdout.toString("latin1"),problem:l===""?"neither perl nor python3 is here, or the attempt was ended":l.slice(0,300)}}r(ke,"attack");function we(){return Object.values(X()).flatMap(e=>e??[]).filter(({internal:e,scopeid:t})=>!e&&(t??0)===0).map(({address:e})=>e)}r(we,"ownAddresses");async function ve(){return[...(await U("/etc/resolv.conf","utf8").catch(()=>"")).matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)$/gm)].flatMap(([,t])=>t??[])}r(ve,"resolvers");async function at(){let e=await U("/proc/net/route","utf8").catch(()=>""),t=["/proc/sysrq-trigger","/proc/kmsg","/proc/kcore","/proc/modules","/proc/sys/kernel/io_uring_disabled","/proc/sys/kernel/yama/ptrace_scope","/proc/sys/kernel/apparmor_restrict_unprivileged_userns","/dev/vsock","/sys/fs/cgroup"];return{isRoot:process.getuid?.()===0,hasReleaseAgent:["cpu","memory","pids","devices"].some(n=>L(`/sys/fs/cgroup/${n}/release_agent`)),hasDefaultRoute:/^\S+\t0{8}\t/m.test(e),hasIpv6:Object.values(X()).some(n=>n?.some(({address:s})=>s==="::1")),paths:new Set(t.filter(n=>L(n)))}}r(at,"probeHost");export{ye as a,ot as b,st as c,at as d};
