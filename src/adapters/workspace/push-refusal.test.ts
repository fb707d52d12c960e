import { describe, expect, it } from "vitest";
import { pushRefusal } from "./push-refusal.ts";

const to = (reason: string): string => `To https://github.com/acme/shop.git
 ! [remote rejected] 1111 -> baton/issue-1 (${reason})
error: failed to push some refs to 'https://github.com/acme/shop.git'`;
const violated = (
  ...rules: string[]
): string => `remote: error: GH013: Repository rule violations found for refs/heads/baton/issue-1.        
remote: Review all repository rules at https://github.com/acme/shop/rules?ref=refs%2Fheads%2Fbaton%2Fissue-1        
remote: 
${rules.map((rule) => `remote: - ${rule}        \nremote: `).join("\n")}
${to("push declined due to repository rule violations")}`;

describe("push-refused-by-rule-told-as-moved: the remote's own words, by kind", () => {
  it.each([
    [
      violated("Commits must have verified signatures."),
      "signatures",
      /GH013.*Commits must have verified signatures\./,
    ],
    [
      violated(
        "Commit message must match a given regex pattern: ^JIRA",
        "Branch name must match a given regex pattern: ^f/",
      ),
      "name",
      /JIRA.*Branch name must match/,
    ],
    [violated("Cannot create ref due to creations being restricted."), "denied", /creations being restricted/],
    [violated("Changes must be made through a pull request."), "pull-request", /through a pull request/],
    [violated("Something new"), "rule", /Something new/],
    [
      to(
        "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission",
      ),
      "workflows",
      /without `workflows` permission/,
    ],
    [to("directory file conflict"), "ref-conflict", /directory file conflict/],
    [
      `remote: error: cannot lock ref 'refs/heads/baton/issue-1': 'refs/heads/baton' exists; cannot create 'refs/heads/baton/issue-1'\n${to("failed to update ref")}`,
      "ref-conflict",
      /'refs\/heads\/baton' exists/,
    ],
    [
      `remote: error: GH006: Protected branch update failed for refs/heads/baton/issue-1.\nremote: error: At least 1 approving review is required\n${to("protected branch hook declined")}`,
      "denied",
      /GH006.*At least 1 approving review/,
    ],
    [`remote: We like to see ticket numbers\n${to("pre-receive hook declined")}`, "hook", /ticket numbers/],
    [
      "remote: This repository was archived so it is read-only.\nfatal: unable to access 'https://github.com/a/b.git/': The requested URL returned error: 403",
      "archived",
      /archived/,
    ],
    [
      "remote: Permission to acme/shop.git denied to baton[bot].\nfatal: unable to access 'https://github.com/acme/shop.git/': The requested URL returned error: 403",
      "denied",
      /Permission to acme\/shop\.git denied/,
    ],
    [`remote: error: GH001: Large files detected.\n${to("pre-receive hook declined")}`, "large-file", /Large files/],
  ] as const)("%#: %s", (stderr, kind, said) => {
    const refusal = pushRefusal(stderr);
    expect(refusal?.kind).toBe(kind);
    expect(refusal?.said).toMatch(said);
    expect(refusal?.said).not.toMatch(/\n|remote:/);
  });

  it.each([
    " ! [rejected]        1111 -> baton/issue-1 (stale info)\nerror: failed to push some refs",
    " ! [rejected]        1111 -> baton/issue-1 (fetch first)\nerror: failed to push some refs",
    " ! [rejected]        1111 -> baton/issue-1 (non-fast-forward)\nerror: failed to push some refs",
    "fatal: unable to access 'https://github.com/a/b.git/': Could not resolve host: github.com",
    "error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403\nsend-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly",
    "error: RPC failed; HTTP 500 curl 22 The requested URL returned error: 500\nfatal: the remote end hung up unexpectedly",
    // https://github.com/microsoft/vscode/issues/182679
    `remote: Resolving deltas: 100% (3/3), completed with 3 local objects.        \nremote: fatal error in commit_refs        \n${to("failure")}`,
    // https://github.com/isaacs/github/issues/1253
    `remote: Internal Server Error\n${to("Internal Server Error")}`,
    to("Internal Server Error"),
    " ! [remote failure]  master -> master (remote failed to report status)\nerror: failed to push some refs",
    to("failed to update ref"),
    to("reference already exists"),
    to("cannot lock ref 'refs/heads/baton/issue-1': is at 1111 but expected 2222"),
    `remote: error: cannot lock ref 'refs/heads/baton/issue-1': is at 1111 but expected 2222\n${to("failed to update ref")}`,
    to("cannot lock ref 'refs/heads/baton/issue-1': Unable to create '/data/refs/heads/x.lock': File exists."),
    to("incorrect old value provided"),
    `remote: fatal: unpack failed\n${to("n/a (unpacker error)")}`,
    to("Service temporarily unavailable"),
    to("pre-receive hook timed out, try again"),
  ])("what is no refusal: %s", (stderr) => {
    expect(pushRefusal(stderr)).toBeNull();
  });
});
