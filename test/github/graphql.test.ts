/** Compares the GraphQL of Baton and of the local GitHub with GitHub's own schema. */
import { describe, expect, it } from "vitest";
import { createTestWorld, goodSum } from "../../packages/local-github/src/test-world.ts";
import { documents, graphqlClient } from "../../src/adapters/github/graphql.ts";
import { documentProblems, graphqlMismatches } from "./validate-graphql.ts";

const id = "PR_1";
const oid = "a".repeat(40);

describe("what Baton asks", () => {
  /** Each of the client's calls with its input. */
  const calls: Record<keyof typeof documents, (client: ReturnType<typeof graphqlClient>) => Promise<unknown>> = {
    enqueue: (client) => client.enqueue(id, oid),
    minimize: (client) => client.minimize("IC_1", "resolved"),
    updateBranch: (client) => client.updateBranch(id, oid),
    resolveThread: (client) => client.resolveThread("PRRT_1"),
    threads: (client) => client.threads(id),
    queued: (client) => client.isInMergeQueue(id),
    baseChanged: (client) => client.baseChangedAt(id),
    edits: (client) => client.unedited(["IC_1", "I_2"]),
  };

  it.each(Object.entries(calls))("%s is an operation of GitHub's schema, with its variables", async (name, call) => {
    const sent: { query: string; variables: Record<string, unknown>; contentWrite: boolean | "edit" }[] = [];
    const client = graphqlClient({
      graphql: async (query, variables, contentWrite) => {
        sent.push({ query, variables, contentWrite });
        return { updatePullRequestBranch: { pullRequest: { headRefOid: oid } }, node: null, nodes: [null] } as never;
      },
    });
    await call(client);
    expect(sent.map(({ query }) => query)).toEqual([documents[name as keyof typeof documents]]);
    for (const { query, variables, contentWrite } of sent) {
      expect(documentProblems(query, variables)).toEqual([]);
      const isEdit = query === documents.minimize || query === documents.resolveThread;
      expect(contentWrite).toBe(isEdit ? "edit" : query.startsWith("mutation"));
    }
  });

  it("has no further document", () => {
    expect(Object.keys(calls).toSorted()).toEqual(Object.keys(documents).toSorted());
  });
});

describe("what is found", () => {
  const enqueue = { query: documents.enqueue, variables: { input: { pullRequestId: id } } };
  const queued = { query: documents.queued, variables: { id } };
  const changed = { query: documents.baseChanged, variables: { id } };
  const entry = (value: unknown) => ({ data: { enqueuePullRequest: { mergeQueueEntry: value } } });
  const node = (value: unknown) => ({ data: { node: value } });
  it.each([
    ["a right answer", enqueue, entry({ position: 1, state: "QUEUED" }), null],
    ["null where the schema allows it", enqueue, entry(null), null],
    ["another type of node", queued, node({}), null],
    ["no node", queued, node(null), null],
    [
      "a list with a null",
      changed,
      node({ timelineItems: { nodes: [null, { createdAt: "2026-01-02T03:04:05Z" }] } }),
      null,
    ],
    ["an error", enqueue, { data: { enqueuePullRequest: null }, errors: [{ type: "NOT_FOUND", message: "no" }] }, null],
    ["an unknown value of an enum", enqueue, entry({ position: 1, state: "WAITING" }), /MergeQueueEntryState/],
    ["a number as a text", enqueue, entry({ position: "1", state: "QUEUED" }), /which is no Int/],
    ["null where there must be a value", queued, node({ isInMergeQueue: null }), /isInMergeQueue is null/],
    ["a field that nobody asked for", queued, node({ isInMergeQueue: true, title: "x" }), /title was not asked for/],
    ["a selected field that is missing", enqueue, entry({ position: 1 }), /state is missing/],
    [
      "a date that is none",
      changed,
      node({ timelineItems: { nodes: [{ createdAt: "today" }] } }),
      /which is no DateTime/,
    ],
    ["null in place of an object", changed, node({ timelineItems: null }), /timelineItems is null/],
    ["an object in place of a list", changed, node({ timelineItems: { nodes: {} } }), /is not a list/],
    ["neither data nor errors", queued, {}, /neither data nor errors/],
    ["an error without words", queued, { errors: [{ type: "NOT_FOUND" }] }, /without a message/],
    ["a key beside data", queued, { ...node(null), status: 200 }, /unknown key status/],
    [
      "an unknown field that is answered",
      { query: "{ node(id: 1) { nope } }" },
      node({ nope: 1 }),
      /Cannot query field/,
    ],
    ["an unknown field that is refused", { query: "{ nope }" }, { errors: [{ message: "undefinedField" }] }, null],
    ["a variable of the wrong type", { ...queued, variables: { id: {} } }, node(null), /\$id/],
    ["a variable that is missing", { query: documents.queued }, node(null), /\$id/],
    ["a variable that nobody declared", { ...queued, variables: { id, more: 1 } }, node(null), /not declared/],
    [
      "an unknown key of the input",
      { ...enqueue, variables: { input: { pullRequestId: id, x: 1 } } },
      entry(null),
      /"x"/,
    ],
    ["a document that is none", { query: "query {" }, node(null), /Syntax Error/],
    ["no document", {}, {}, /no `query`/],
  ] as [string, object, object, RegExp | null][])("%s", (_, request, answer, expected) => {
    const found = graphqlMismatches(request, answer);
    if (expected === null) expect(found).toEqual([]);
    else expect(found.join("\n")).toMatch(expected);
  });
});

describe("what the local GitHub answers", () => {
  const web = { owner: "acme", repo: "web" };

  it("every field that it has is GitHub's, and an unknown one is refused; `watch.ts` judges each exchange", async () => {
    await using world = await createTestWorld({});
    const { github, octokit } = world;
    await github.push({ repository: "acme/web", as: "bob", branch: "fix", files: goodSum, message: "Fix" });
    const place = { repository: "acme/web", head: "fix" };
    const { number } = await github.openPullRequest({ ...place, as: "bob", title: "Fix" });
    const pull = (await octokit.rest.pulls.get({ ...web, pull_number: number })).data;
    const comment = (await octokit.rest.issues.createComment({ ...web, issue_number: number, body: "x" })).data;
    const ask = async (query: string, variables: object): Promise<{ data?: unknown; errors?: { message: string }[] }> =>
      (await octokit.request("POST /graphql", { query, variables })).data as never;
    const input = (value: object) => ({ input: value });
    const pullRequestId = pull.node_id;
    expect(
      await ask("query($id: ID!) { node(id: $id) { ... on PullRequest { headRefOid baseRefName } } }", {
        id: pullRequestId,
      }),
    ).toEqual({ data: { node: { headRefOid: pull.head.sha, baseRefName: "main" } } });
    expect(
      await ask(
        "mutation($input: MinimizeCommentInput!) { minimizeComment(input: $input) { minimizedComment { isMinimized minimizedReason } } }",
        input({ subjectId: comment.node_id, classifier: "OUTDATED" }),
      ),
    ).toEqual({ data: { minimizeComment: { minimizedComment: { isMinimized: true, minimizedReason: "outdated" } } } });
    for (const [mutation, type, part, value, words] of [
      [
        "enqueuePullRequest",
        "EnqueuePullRequestInput",
        "mergeQueueEntry { position }",
        { pullRequestId },
        /No merge queue/,
      ],
      [
        "updatePullRequestBranch",
        "UpdatePullRequestBranchInput",
        "pullRequest { number }",
        { pullRequestId },
        /no new commits/,
      ],
      [
        "enablePullRequestAutoMerge",
        "EnablePullRequestAutoMergeInput",
        "pullRequest { number }",
        { pullRequestId },
        /Auto merge/,
      ],
      [
        "resolveReviewThread",
        "ResolveReviewThreadInput",
        "thread { isResolved }",
        { threadId: "x" },
        /Could not resolve/,
      ],
    ] as const) {
      const answer = await ask(`mutation($input: ${type}!) { ${mutation}(input: $input) { ${part} } }`, input(value));
      expect(answer.data).toEqual({ [mutation]: null });
      expect(answer.errors?.[0]?.message).toMatch(words);
    }
    // Texts say whether somebody edited them, also within the second in which they were written.
    const issue = (await octokit.rest.issues.create({ ...web, title: "Sum", body: "x" })).data;
    const ids = [comment.node_id, issue.node_id];
    const edits = async (): Promise<unknown> => ask(documents.edits, { ids: [...ids, "nobody"] });
    const answered = (one: boolean) => ({
      data: {
        nodes: [
          { id: ids[0], lastEditedAt: one ? expect.any(String) : null, includesCreatedEdit: one },
          { id: ids[1], lastEditedAt: one ? expect.any(String) : null, includesCreatedEdit: one },
          null,
        ],
      },
      errors: [expect.objectContaining({ type: "NOT_FOUND", path: ["nodes", 2] })],
    });
    await octokit.rest.issues.addLabels({ ...web, issue_number: issue.number, labels: ["bug"] });
    expect(await edits()).toEqual(answered(false));
    await octokit.rest.issues.updateComment({ ...web, comment_id: comment.id, body: "y" });
    await octokit.rest.issues.update({ ...web, issue_number: issue.number, body: "y" });
    expect(await edits()).toEqual(answered(true));
    expect(await ask(documents.edits, { ids: Array.from({ length: 101 }, () => ids[0]) })).toMatchObject({
      errors: [{ message: "You may not provide more than 100 node ids; you provided 101." }],
    });
    // The server refuses an unanswerable request before it searches or changes anything.
    for (const [mutation, type, part] of [
      ["minimizeComment", "MinimizeCommentInput", "minimizedComment { nope }"],
      ["resolveReviewThread", "ResolveReviewThreadInput", "nope { isResolved }"],
      ["updatePullRequestBranch", "UpdatePullRequestBranchInput", "pullRequest { headRefOid nope }"],
      ["enqueuePullRequest", "EnqueuePullRequestInput", "mergeQueueEntry { position state nope }"],
      ["enablePullRequestAutoMerge", "EnablePullRequestAutoMergeInput", "pullRequest { nope }"],
    ]) {
      const query = `mutation($input: ${type}!) { ${mutation}(input: $input) { ${part} } }`;
      const answer = await ask(query, input({ pullRequestId, subjectId: comment.node_id, threadId: "x" }));
      expect(answer).toEqual({ errors: [expect.objectContaining({ message: expect.stringContaining("'nope'") })] });
    }
    for (const query of [
      "{ nope }",
      "query($id: ID!) { node(id: $id) { nope } }",
      "mutation { nope(input: {}) { id } }",
      "{",
    ]) {
      const answer = await ask(query, { id: pullRequestId });
      expect([query, answer.data ?? null, answer.errors?.length]).toEqual([query, null, 1]);
    }
  });
});
