import { expect, test } from "vitest";
import { markdown } from "./pages/markdown.ts";
import { createTestWorld, goodSum } from "./test-world.ts";

const known = { thread: (number: number) => (number === 1 ? "/acme/web/issues/1" : null), account: () => null };

test("markdown: what is GitHub's stays, what is an attack goes", () => {
  const cases: [string, string, RegExp[], RegExp[]][] = [
    ["table", "| a |\n|---|\n| b |", [/<table>/, /<td>b<\/td>/], []],
    ["task", "- [x] done", [/<input [^>]*checked/, /disabled/], []],
    ["details", "<details><summary>more</summary>\n\ntext\n\n</details>", [/<details><summary>more<\/summary>/], []],
    ["hidden marker", "<!-- baton:status -->hello", [/hello/], [/baton:status/]],
    ["reference", "see #1, #2 and x#1", [/see <a href="\/acme\/web\/issues\/1">#1<\/a>, #2 and x#1/], []],
    ["script", "<script>alert(1)</script>ok", [/ok/], [/script/, /alert/]],
    ["handler", '<img src="https://x.test/a.png" onerror="alert(1)">', [/<img/], [/onerror/]],
    ["address", "[x](javascript:alert(1)) <a href='JaVaScRiPt:alert(1)'>y</a>", [/x/, /y/], [/javascript:/i]],
    ["form", '<form action="https://x.test"><input type="text" name="token"></form>', [], [/<form/, /<input/]],
    ["style", '<p style="position:fixed">a</p><style>p{}</style>', [/<p>a<\/p>/], [/style/]],
    ["frame", '<iframe src="https://x.test"></iframe>', [], [/iframe/]],
  ];
  for (const [name, text, has, lacks] of cases) {
    const made = markdown(text, known).text;
    for (const pattern of has) expect([name, made]).toEqual([name, expect.stringMatching(pattern)]);
    for (const pattern of lacks) expect([name, made]).toEqual([name, expect.not.stringMatching(pattern)]);
  }
});

test("a pull request's page shows conversation, review, checks and diff; names are escaped, scripts are forbidden", async () => {
  await using world = await createTestWorld({ ci: true });
  const { github } = world;
  await github.push({ repository: "acme/web", as: "bob", branch: "fix", files: goodSum, message: "Fix <sum>" });
  const title = "Fix <script>alert(1)</script>";
  const { number } = await github.openPullRequest({ repository: "acme/web", as: "bob", title, head: "fix" });
  const place = { repository: "acme/web", number };
  github.comment({ ...place, as: "ada", body: "Nice, see #1" });
  const { id } = github.comment({ ...place, as: "ada", body: "Answered long ago" });
  const folded = github.state.repositories.values().next().value?.comments.get(id);
  if (folded !== undefined) folded.minimized = "RESOLVED";
  github.review({
    ...place,
    as: "ada",
    event: "APPROVE",
    body: "Good.",
    comments: [{ path: "sum.js", line: 1, body: "here" }],
  });
  await github.settle();
  const response = await fetch(`${github.url}/acme/web/pull/${number}`, { headers: { accept: "text/html" } });
  const page = await response.text();
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(page).toContain("Fix &lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).not.toContain("<script");
  for (const text of ["Nice, see", "approved these changes", "Good.", "GitHub Actions", "Fix &lt;sum&gt;"]) {
    expect(page).toContain(text);
  }
  expect(page).toMatch(
    /<details><summary[^>]*>This comment was marked as resolved\.<\/summary>[\s\S]*Answered long ago/,
  );
  expect(page).toContain("+export const sum = (a, b) =&gt; a + b;");
  const run = [...(github.state.repositories.values().next().value?.checkRuns.values() ?? [])].at(-1);
  for (const path of [
    "/",
    "/acme/web",
    "/acme/web/issues",
    "/acme/web/pulls",
    `/acme/web/runs/${run?.id}`,
    "/acme/web/raw/main/docs/readme.md",
  ]) {
    const other = await fetch(`${github.url}${path}`, { headers: { accept: "text/html" } });
    expect([path, other.status]).toEqual([path, 200]);
    await other.arrayBuffer();
  }
  const job = await fetch(String(run?.detailsUrl), { headers: { accept: "text/html" } });
  expect(await job.text()).toContain("Process completed with exit code 0.");
  expect((await fetch(`${github.url}/acme/web/pull/99`, { headers: { accept: "text/html" } })).status).toBe(404);
});

test("a player acts in the pages; without the key, or without a player, nobody does", async () => {
  await using world = await createTestWorld({ ci: false, player: { login: "ada", phrases: ["/baton approve"] } });
  const { github } = world;
  const { number } = github.openIssue({ repository: "acme/web", as: "bob", title: "One" });
  const url = `${github.url}/acme/web/issues/${number}`;
  const response = await fetch(url, { headers: { accept: "text/html" } });
  const page = await response.text();
  expect(response.headers.get("content-security-policy")).toContain("form-action 'self'");
  expect(page).toContain("You are <b>ada</b>");
  const key = /name="key" value="([^"]+)"/.exec(page)?.[1] ?? "";
  const post = (fields: Record<string, string>, at = url) =>
    fetch(`${at}/_say`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  expect((await post({ deed: "comment", body: "No.", key: "x".repeat(key.length) })).status).toBe(403);
  expect((await post({ deed: "comment", body: "Yes.", key })).status).toBe(303);
  expect((await post({ phrase: "/baton approve", body: "ignored", key })).status).toBe(303);
  await github.push({ repository: "acme/web", as: "bob", branch: "fix", files: goodSum, message: "Fix" });
  const pull = await github.openPullRequest({ repository: "acme/web", as: "bob", title: "Fix", head: "fix" });
  const at = `${github.url}/acme/web/pull/${pull.number}`;
  await post({ deed: "request-changes", body: "", key }, at);
  await post({ deed: "approve", body: "Good.", key }, at);
  const repository = [...github.state.repositories.values()].find(({ name }) => name === "web");
  expect([...(repository?.comments.values() ?? [])].map(({ body }) => body)).toEqual(["Yes.", "/baton approve"]);
  expect(repository?.threads.get(pull.number)?.pull?.reviews.map(({ state, body }) => [state, body])).toEqual([
    ["CHANGES_REQUESTED", "Please change this."],
    ["APPROVED", "Good."],
  ]);
  await using readOnly = await createTestWorld({ ci: false });
  readOnly.github.openIssue({ repository: "acme/web", as: "bob", title: "One" });
  const plain = await fetch(`${readOnly.github.url}/acme/web/issues/1`, { headers: { accept: "text/html" } });
  expect(plain.headers.get("content-security-policy")).toContain("form-action 'none'");
  expect(await plain.text()).not.toContain("<form");
});
