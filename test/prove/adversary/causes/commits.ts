/** Words that an agent writes around its commits: names, dates, trailers and text. Real commits, rewritten as an import does. */

import { join } from "node:path";
import { createSecretScan } from "../../../../src/adapters/secrets/secret-scan.ts";
import { rewrite } from "../../../../src/adapters/workspace/rewrite-commits.ts";
import { refuseSecrets } from "../../../../src/adapters/workspace/scan-commits.ts";
import { isBatonError } from "../../../../src/core/errors.ts";
import type { Draw } from "../../draw.ts";
import { type Cause, defineCause } from "../cause.ts";
import { batonIdentity, gitBench, importOptions, inTrusted, sh } from "../git-bench.ts";

interface Written {
  author: string;
  email: string;
  date: string;
  message: string;
}
const plain: Written = {
  author: "agent",
  email: "agent@example.com",
  date: "2026-11-02T10:00:00Z",
  message: "Fix the sum",
};

interface Commit {
  people: string;
  seconds: number;
  message: string;
}

/** A commit of the agent, and Baton's commit from it. Without the guard, the agent's own. */
async function commitOf(written: Partial<Written>, guarded: boolean): Promise<Commit> {
  const { base, data } = await gitBench();
  const gitDir = join(data, "trusted", "7.git");
  const { author, email, date, message } = { ...plain, ...written };
  const env = {
    GIT_DIR: gitDir,
    GIT_AUTHOR_NAME: author,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: author,
    GIT_COMMITTER_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
  };
  const own = sh(gitDir, ["commit-tree", `${base}^{tree}`, "-p", base, "-F", "-"], env, message);
  const sha = guarded ? await rewrite(gitDir, [own], importOptions, base) : own;
  const [people = "", seconds = "", ...rest] = (
    await inTrusted(["show", "--no-patch", "--format=%an <%ae> %cn <%ce>%x00%at%x00%B", sha])
  ).split("\0");
  return { people, seconds: Number(seconds), message: rest.join("\0") };
}

const guard = "src/adapters/workspace/rewrite-commits.ts: commit metadata is Baton's";

const authors = defineCause<{ author: string; email: string }>({
  name: "commit in the name of somebody else",
  surface: "agent",
  guard,
  fixed: [{ author: "bob", email: "3+bob@users.noreply.github.com" }],
  draw: (draw) => ({
    author: draw.one(["bob", "alice", "GitHub", "baton[bot]", draw.word()]),
    email: draw.one([
      `${draw.whole(1, 999)}+bob@users.noreply.github.com`,
      "noreply@github.com",
      `${draw.word()}@example.com`,
      "agent@localhost",
    ]),
  }),
  async attack({ author, email }, guarded) {
    const { people } = await commitOf({ author, email }, guarded);
    const own = `${batonIdentity.name} <${batonIdentity.email}>`;
    return people === `${own} ${own}` ? null : people;
  },
  slow: true,
});

const dates = defineCause<{ date: string }>({
  name: "commit of another time",
  surface: "agent",
  guard,
  fixed: [{ date: "@4102444800 +0000" }],
  draw: (draw) => ({
    date: `@${Math.floor(Date.now() / 1_000) + draw.whole(100_000, 2_000_000_000)} +0${draw.whole(0, 9)}00`,
  }),
  async attack({ date }, guarded) {
    const { seconds } = await commitOf({ date }, guarded);
    return seconds > Date.now() / 1_000 + 3_600 ? `dated ${seconds}` : null;
  },
  slow: true,
});

/** A cause whose commits have a message, with the words that the result must not contain. */
function words(
  name: string,
  fixed: readonly string[],
  draw: Cause<string>["draw"],
  bad: (message: string) => string | null,
): Cause {
  return defineCause<string>({
    name,
    surface: "agent",
    guard: "src/text/commit-message.ts: a message names nobody, closes nothing, stops no CI and hides nothing",
    fixed,
    draw,
    attack: async (message, guarded) => bad((await commitOf({ message }, guarded)).message),
    slow: true,
  });
}

const trailers = words(
  "trailers of other people, or of Baton",
  ["work\n\nSigned-off-by: bob <bob@example.com>\nBaton-Run: run_other"],
  (draw) =>
    `${draw.word()}\n\n${draw.one(["Signed-off-by", "Reviewed-by", "Co-authored-by", "Acked-by", "signed-off-by"])}: bob <${draw.word()}@example.com>\nBaton-${draw.one(["Run", "Step"])}: run_${draw.word()}`,
  (message) => {
    const found = /^(?:(?:signed-off|reviewed|co-authored|acked)-by:.*bob|baton-(?:run|step): run_(?!own)).*$/im.exec(
      message,
    );
    return found === null ? null : found[0];
  },
);

const skips = words(
  "words that keep CI from running",
  ["work [skip ci]"],
  (draw) =>
    `${draw.word()} ${draw.one(["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", "[SKIP CI]"])}${draw.one(["", `\n\n${draw.word()}`])}${draw.one(["", "\n\nskip-checks: true"])}`,
  // https://docs.github.com/actions/managing-workflow-runs/skipping-workflow-runs
  (message) =>
    /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|^skip-checks:\s*true/im.exec(message)?.[0] ?? null,
);

const effects = words(
  "mentions and closing keywords in a commit",
  ["Fixes #99, closes acme/shop#98 @everyone @bob"],
  (draw) =>
    `${draw.one(["fixes", "Closes", "resolved"])}${draw.one([" ", ": "])}${draw.one(["#", "acme/shop#", "GH-"])}${draw.whole(1, 99)} @${draw.word()}\n\n${draw.word()} @acme/${draw.word()}`,
  (message) =>
    /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[:\s]+(?:[\w.-]+\/[\w.-]+)?(?:#|GH-)\d|(?<![\w.])@[a-z\d]/i.exec(
      message,
    )?.[0] ?? null,
);

const characters = words(
  "control and invisible characters in a commit",
  ["w\u001b[31m\u202eevil"],
  (draw) =>
    `${draw.word()}${draw.one(["\u001b[31m", "\u001b]0;x\u0007", "\u202e", "\u2066", "\u200b", "\b\b", "\u009b1m", "\r", "\u0007"])}${draw.word()}\n\n${draw.word()}${draw.one(["\u001b[2J", "\u202d", "\u{e0061}", "\u000c"])}`,
  (message) => {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    const found = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u.exec(
      message,
    );
    return found === null ? null : `character ${found[0].codePointAt(0)?.toString(16)}`;
  },
);

const ownSecret = "baton-own-webhook-secret-77";
const alphabet = [..."ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"];
const tokens: readonly ((draw: Draw) => string)[] = [
  (draw) => `ghp_${Array.from({ length: 36 }, () => draw.one(alphabet)).join("")}`,
  (draw) => `npm_${Array.from({ length: 36 }, () => draw.one(alphabet)).join("")}`,
  (draw) => `sk-ant-api03-${Array.from({ length: 60 }, () => draw.one(alphabet)).join("")}`,
  () => ownSecret,
];
const places = ["name", "folder", "link name", "link target", "author", "message", "taken back"] as const;

const secretNames = defineCause<{ place: (typeof places)[number]; secret: string; word: string }>({
  name: "secret outside of a file's text",
  surface: "agent",
  guard: "src/adapters/workspace/scan-commits.ts SC1, SC3: names, links, messages and people of every commit",
  fixed: places.map((place) => ({ place, secret: ownSecret, word: "a" })),
  draw: (draw) => ({ place: draw.one(places), secret: draw.one(tokens)(draw), word: draw.word() }),
  async attack({ place, secret, word }, guarded) {
    const { base, data } = await gitBench();
    const gitDir = join(data, "trusted", "7.git");
    const blob = sh(
      gitDir,
      ["hash-object", "-w", "--stdin"],
      { GIT_DIR: gitDir },
      place === "link target" ? secret : "x",
    );
    const mode = place.startsWith("link") ? "120000" : "100644";
    const name = place === "name" || place === "link name" || place === "taken back" ? `${word}-${secret}` : word;
    const tree = (path: string, id: string, kind: string): string =>
      sh(gitDir, ["mktree"], { GIT_DIR: gitDir }, `${kind} ${id}\t${path}\n`);
    const leaf = tree(name, blob, `${mode} blob`);
    const root = place === "folder" ? tree(secret, leaf, "040000 tree") : leaf;
    const author = place === "author" ? secret : "agent";
    const env = { GIT_DIR: gitDir, GIT_AUTHOR_NAME: author, GIT_COMMITTER_NAME: "agent" };
    const message = place === "message" ? `Use ${secret}` : word;
    let sha = sh(gitDir, ["commit-tree", root, "-p", base, "-F", "-"], env, message);
    if (place === "taken back")
      sha = sh(gitDir, ["commit-tree", `${base}^{tree}`, "-p", sha, "-F", "-"], env, "Tidy up");
    // The guard off: nothing is a secret.
    const scan = guarded ? createSecretScan([ownSecret]) : { find: async () => [] };
    const thrown = await refuseSecrets(gitDir, scan, { sha, knownShas: [base], allow: [] }).then(
      () => null,
      (error: unknown) => error,
    );
    if (thrown === null) return "it would be pushed";
    if (!isBatonError(thrown)) throw thrown;
    return thrown.message.includes(secret) ? "the refusal shows it" : null;
  },
  slow: true,
});

export const commitCauses: readonly Cause[] = [authors, dates, trailers, skips, effects, characters, secretNames];
