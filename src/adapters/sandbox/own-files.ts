/**
 * The files that Baton writes for one attempt: users, hosts, the bridge, the filter. They lie in a private directory
 * outside.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bridgeSource } from "./bridge-source.ts";
import { type Bind, insideDir, sandboxHostname, sandboxUserId } from "./bubblewrap.ts";
import { refused } from "./checked-path.ts";
import { privateParent } from "./network.ts";
import { seccompBytes, seccompProgram } from "./seccomp.ts";

export interface OwnFiles {
  directory: string;
  /** Appears inside as `insideDir`: the bridge and the sockets. */
  inside: string;
  binds: Bind[];
  /** Null where no filter exists for the processor. */
  filterPath: string | null;
  statusPath: string;
  remove(): Promise<void>;
}

export async function writeOwnFiles(home: string): Promise<OwnFiles> {
  const parent = privateParent([tmpdir(), "/tmp"]);
  if (parent === null) throw refused(tmpdir(), "the path is too long for a socket");
  const directory = await mkdtemp(join(parent, "baton-sandbox-"));
  const inside = join(directory, "inside");
  await mkdir(inside);
  const binds: Bind[] = [{ source: inside, target: insideDir }];
  for (const [name, text] of Object.entries(etcFiles(home))) {
    const source = join(directory, name);
    await writeFile(source, text);
    binds.push({ source, target: join("/etc", name) });
  }
  await writeFile(join(inside, "bridge.cjs"), bridgeSource);
  const program = seccompProgram(process.arch);
  const filterPath = program === null ? null : join(directory, "filter");
  if (program !== null && filterPath !== null) await writeFile(filterPath, seccompBytes(program));
  const statusPath = join(directory, "status");
  await writeFile(statusPath, "");
  return {
    directory,
    inside,
    binds,
    filterPath,
    statusPath,
    async remove() {
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Programs ask for their user's name and home. The machine's other users and hosts stay hidden. */
function etcFiles(home: string): Record<string, string> {
  const id = sandboxUserId;
  return {
    passwd: `root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:${id}:${id}:agent:${home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
    group: `root:x:0:\nagent:x:${id}:\nnogroup:x:65534:\n`,
    hosts: `127.0.0.1 localhost ${sandboxHostname}\n::1 localhost\n`,
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
  };
}
