/** Where the state lives: `refs/baton/*`, or branches below `baton-state/` on a host that takes no other refs. */
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { StateRemote } from "./remote.ts";

export interface StateRefs {
  home: string;
  shared: string;
  /** Made by a person who means it that the home ref was set back or removed. */
  accepted: string;
  namespace: string;
}

const preferredNamespace = "refs/baton/";
/** Branches show in the user's list: only where nothing else is taken. One a thread, so that threads do not wait for each other. */
const fallbackNamespace = "refs/heads/baton-state/";

export async function findRefs(options: {
  remote: StateRemote;
  home: string;
  now: number;
  log: Log;
  /** Only to look: where there is no state, none is begun and nothing is tried. */
  readOnly: boolean;
}): Promise<StateRefs> {
  const { remote, home, log } = options;
  const refsOf = (namespace: string): StateRefs => ({
    namespace,
    home: `${namespace}${home}`,
    shared: `${namespace}shared`,
    accepted: `${namespace}accepted/${home}`,
  });
  const [preferred, fallback] = [refsOf(preferredNamespace), refsOf(fallbackNamespace)];
  const heads = await remote.heads([preferred.home, preferred.shared, fallback.home, fallback.shared]);
  if (heads.has(preferred.shared) || heads.has(preferred.home)) return preferred;
  if (heads.has(fallback.shared) || heads.has(fallback.home)) return fallback;
  if (options.readOnly) return preferred;
  const refusal = await probe(options, preferred.shared);
  if (refusal === null) return preferred;
  log.warn("The host takes no refs below refs/baton: the state is kept in branches", {
    branches: "baton-state/*",
    refusal,
  });
  return fallback;
}

/**
 * Begins the shared state with an empty commit: what is written first tells whether such refs are taken, and is no push
 * too many. The host's words when it refuses, null when it takes it.
 */
async function probe({ remote, now }: { remote: StateRemote; now: number }, ref: string): Promise<string | null> {
  const [sha = ""] = await remote.commit([
    { parent: null, message: "Baton: the state begins\n", at: now, files: new Map() },
  ]);
  const written = await remote.push([{ ref, expected: null, sha }]);
  if (written.kind === "refused") return written.message;
  if (written.kind === "failed")
    throw new BatonError("BATON_GIT_FAILED", `The repository could not be written to: ${written.message}`);
  return null;
}
