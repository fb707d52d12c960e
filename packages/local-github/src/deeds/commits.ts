/**
 * Commits that the API makes from existing trees. GitHub signs an App's commit that names no author, committer or
 * signature.
 */
import { createHash } from "node:crypto";
import type { Doer } from "../access.ts";
import { Refusal } from "../answer.ts";
import { commitSha, type Person, tryGit, writeCommit } from "../git.ts";
import { gitDirectory, type Site } from "../site.ts";
import type { Repository } from "../state.ts";
import { personOf } from "./accounts.ts";

export interface NewCommit {
  message: string;
  tree: string;
  parents: readonly string[];
  author?: Person | undefined;
  committer?: Person | undefined;
  signature?: string | undefined;
}

/** The committer of commits that GitHub signs. */
const webFlow: Person = { name: "GitHub", email: "noreply@github.com" };

export async function createCommit(site: Site, repository: Repository, doer: Doer, given: NewCommit): Promise<string> {
  const directory = gitDirectory(site, repository.id);
  // Source: https://github.com/exercism/website/issues/8228 (422)
  if ((await tryGit(directory, ["cat-file", "-e", `${given.tree}^{tree}`])) === null)
    throw new Refusal(422, "Tree SHA does not exist");
  for (const parent of given.parents)
    if ((await commitSha(directory, parent)) !== parent)
      throw new Refusal(422, "Parent SHA does not exist or is not a commit object");
  // Source: https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
  const names = [given.author, given.committer, given.signature];
  const signs = doer.appId !== null && names.every((one) => one === undefined);
  const doerPerson = personOf(site, doer.accountId);
  const author = given.author ?? doerPerson;
  const when = `${Math.floor(site.now().getTime() / 1000)} +0000`;
  const line = ({ name, email }: Person): string => `${name} <${email}> ${when}`;
  const head = [
    `tree ${given.tree}`,
    ...given.parents.map((sha) => `parent ${sha}`),
    `author ${line(author)}`,
    `committer ${line(signs ? webFlow : (given.committer ?? author))}`,
  ];
  const payload = `${head.join("\n")}\n\n${given.message}`;
  if (!signs) return writeCommit(directory, payload);
  const signature = `-----BEGIN PGP SIGNATURE-----\n\n${createHash("sha256").update(payload).digest("base64")}\n-----END PGP SIGNATURE-----\n`;
  const header = `gpgsig ${signature.trimEnd().split("\n").join("\n ")}`;
  const sha = await writeCommit(directory, `${[...head, header].join("\n")}\n\n${given.message}`);
  repository.signedCommits.set(sha, { payload, signature, at: site.timestamp() });
  return sha;
}
