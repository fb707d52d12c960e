/**
 * The first pages: all runs that the caller may read, and one run with its questions. They ask the HTTP API as any client.
 *
 * DA1 Texts of others become text nodes, never markup. The page loads nothing from elsewhere and has no inline script.
 * DA2 Nobody gets a page before they signed in, except the one that says how.
 */
import type { ServerResponse } from "node:http";

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const dashboardPath = "/dashboard";

const script = String.raw`
"use strict";
const root = document.getElementById("main");
const state = { runs: [], me: null, search: "", word: "all" };

function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  // Strings become text nodes, whatever is in them.
  made.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return made;
}

async function ask(method, path, body) {
  const headers = { accept: "application/json" };
  if (method !== "GET") Object.assign(headers, { "content-type": "application/json", "idempotency-key": crypto.randomUUID() });
  const response = await fetch("/api/v1" + path, { method, headers, ...(method === "GET" ? {} : { body: JSON.stringify(body || {}) }) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail + " " + answer.remedy);
  return answer;
}

/** One of the four words. */
function wordOf(run) {
  if (["completed", "failed", "cancelled"].includes(run.status)) return "done";
  const kinds = run.waitsFor.map((wait) => wait.kind);
  if (kinds.includes("people") || kinds.includes("money")) return "waiting for people";
  if (kinds.some((kind) => kind !== "worker")) return "waiting for others";
  return "working";
}

const usd = (value) => "$" + value.toFixed(2);
const when = (ms) => new Date(ms).toLocaleString();
const threadOf = (run) => run.thread.repository.owner + "/" + run.thread.repository.name + "#" + run.thread.number;

function fleet() {
  const words = ["all", "working", "waiting for people", "waiting for others", "done"];
  const search = state.search.toLowerCase();
  const shown = state.runs.filter((run) => {
    const text = (threadOf(run) + " " + run.process.name + " " + run.requestedBy.login).toLowerCase();
    return (state.word === "all" || wordOf(run) === state.word) && text.includes(search);
  });
  const count = (word) => state.runs.filter((run) => word === "all" || wordOf(run) === word).length;
  return [
    el("h1", {}, "Runs"),
    el("div", { class: "bar" },
      el("label", {}, "Search ", el("input", { id: "search", type: "search", value: state.search, oninput: (event) => { state.search = event.target.value; show(); } })),
      words.map((word) => el("button", { type: "button", "aria-pressed": word === state.word, onclick: () => { state.word = word; show(); } }, word + " (" + count(word) + ")"))),
    shown.length === 0
      ? el("p", { class: "empty" }, state.runs.length === 0 ? "There are no runs yet. Write /baton run in an issue." : "No run fits the search.")
      : el("table", {},
          el("thead", {}, el("tr", {}, ["State", "Thread", "Process", "Done", "Cost", "Waits for"].map((title) => el("th", { scope: "col" }, title)))),
          el("tbody", {}, shown.map((run) => el("tr", {},
            el("td", {}, wordOf(run) === "done" ? run.status : wordOf(run)),
            el("td", {}, el("a", { href: "#run/" + run.runId }, threadOf(run))),
            el("td", {}, run.process.name),
            el("td", {}, run.progress.percent + " %"),
            el("td", {}, usd(run.money.spentUsd)),
            el("td", {}, run.waitsFor.map((wait) => wait.sentence).join(" ")))))),
  ];
}

function questionForm(run, question) {
  const path = "/runs/" + run.runId + "/questions/" + encodeURIComponent(question.id);
  const text = el("input", { type: "text", "aria-label": "Your words" });
  const send = (verb, field) => () => act(() => ask("POST", path + "/" + verb, field === null ? {} : { [field]: text.value }));
  const choices = (question.choices || []).map((choice) =>
    el("button", { type: "button", onclick: () => act(() => ask("POST", path + "/answer", { text: choice })) }, choice));
  const buttons = question.kind === "answer"
    ? (choices.length > 0 ? choices : [text, el("button", { type: "button", onclick: send("answer", "text") }, "Answer")])
    : question.kind === "approval"
      ? [text, state.me.kind === "person" ? el("button", { type: "button", onclick: send("approve", "comment") }, "Approve") : null,
         el("button", { type: "button", onclick: send("reject", "reason") }, "Send back")]
      : [];
  return el("section", { class: "question" },
    el("h3", {}, question.title), question.text === "" ? null : el("pre", {}, question.text), el("p", {}, question.how), el("div", { class: "bar" }, buttons));
}

function runView(run, questions, decisions) {
  const isOver = wordOf(run) === "done";
  const button = (title, verb) => el("button", { type: "button", onclick: () => act(() => ask("POST", "/runs/" + run.runId + "/" + verb)) }, title);
  const actions = isOver ? [button("Retry", "retry")] : [run.status === "paused" ? button("Resume", "resume") : button("Pause", "pause"), button("Cancel the run", "cancel")];
  return [
    el("p", {}, el("a", { href: "#" }, "All runs")),
    el("h1", {}, threadOf(run) + ": " + run.process.name),
    el("p", {}, (isOver ? run.status : wordOf(run)) + ", " + run.progress.percent + " %, " + usd(run.money.spentUsd) + " of " + usd(run.money.budgetUsd) +
      ", health " + run.health + " of 100, asked for by @" + run.requestedBy.login + ", " + when(run.createdAt)),
    run.verdict === null ? null : el("p", { class: "verdict" }, run.verdict.status + ": " + run.verdict.reason),
    run.waitsFor.map((wait) => el("p", {}, wait.sentence)),
    el("div", { class: "bar" }, actions),
    questions.filter((question) => question.open).map((question) => questionForm(run, question)),
    el("h2", {}, "Steps"),
    el("table", {},
      el("thead", {}, el("tr", {}, ["Step", "Stage", "State", "Tries", "Cost", "Result"].map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, run.steps.map((step) => el("tr", {},
        el("td", {}, step.title), el("td", {}, step.stage || ""), el("td", {}, step.status), el("td", {}, String(step.attempts)), el("td", {}, usd(step.costUsd)),
        el("td", {}, step.error !== null ? step.error.code + ": " + step.error.message : step.verdict !== null ? step.verdict.reason : step.progress || ""))))),
    el("h2", {}, "Decisions"),
    decisions.decisions.length === 0 ? el("p", { class: "empty" }, "Nobody has asked this run for anything yet.")
      : el("ul", {}, decisions.decisions.map((one) => el("li", {}, when(one.at) + " " + (one.actor === null ? "" : "@" + one.actor.login + " ") + one.action + ": " + one.verdict.reason))),
  ];
}

let drawn = 0;
async function show() {
  const mine = (drawn += 1);
  try {
    const [, id] = /^#run\/([\w-]+)$/.exec(location.hash) || [];
    const parts = id === undefined
      ? fleet()
      : runView(...(await Promise.all([ask("GET", "/runs/" + id), ask("GET", "/runs/" + id + "/questions").then((list) => list.items), ask("GET", "/runs/" + id + "/decisions")])));
    // A later view is drawn already.
    if (mine !== drawn) return;
    const focused = document.activeElement && document.activeElement.id;
    root.replaceChildren(...parts.flat().filter((one) => one !== null));
    const again = focused ? document.getElementById(focused) : null;
    if (again !== null) { again.focus(); if (again.setSelectionRange) again.setSelectionRange(again.value.length, again.value.length); }
  } catch (error) {
    if (mine === drawn) root.replaceChildren(el("p", { role: "alert" }, error.message), el("p", {}, el("a", { href: "#" }, "All runs")));
  }
}

async function act(work) {
  try {
    await work();
  } catch (error) {
    root.prepend(el("p", { role: "alert" }, error.message));
    return;
  }
  await refresh();
}

async function refresh() {
  const runs = [];
  let cursor = null;
  do {
    const page = await ask("GET", "/runs?limit=200" + (cursor === null ? "" : "&cursor=" + cursor));
    runs.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && runs.length < 1000);
  state.runs = runs;
  await show();
}

let timer = null;
function soon() {
  if (timer === null) timer = setTimeout(() => { timer = null; refresh().catch(() => {}); }, 500);
}

window.addEventListener("hashchange", show);
(async () => {
  state.me = await ask("GET", "/me");
  document.getElementById("me").textContent = "@" + state.me.login;
  await refresh();
  const live = new EventSource("/api/v1/events");
  live.onmessage = soon;
  // After a lost connection, some news may be older than the stream.
  live.addEventListener("open", soon);
})().catch((error) => root.replaceChildren(el("p", { role: "alert" }, error.message)));
`;

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
header { display: flex; gap: 1rem; justify-content: space-between; padding: .75rem 1rem; border-bottom: 1px solid GrayText; }
main { padding: 1rem; overflow-x: auto; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid GrayText; overflow-wrap: anywhere; }
.bar { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; }
button, input { font: inherit; padding: .35rem .7rem; }
button[aria-pressed="true"] { outline: 2px solid Highlight; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid GrayText; padding: .75rem; max-height: 30rem; overflow: auto; }
.question { border: 1px solid Highlight; padding: 0 1rem; margin: 1rem 0; }
[role="alert"] { border: 1px solid; padding: .75rem; }
.verdict { font-weight: 600; }
`;

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Baton</title>
<link rel="stylesheet" href="${dashboardPath}/style.css"><script src="${dashboardPath}/app.js" defer></script></head>
<body><header><a href="#">Baton</a><span id="me"></span></header><main id="main"><p>Loading the runs …</p></main></body>
</html>
`;

const files: Readonly<Record<string, { type: string; text: string }>> = {
  [dashboardPath]: { type: "text/html; charset=utf-8", text: page },
  [`${dashboardPath}/app.js`]: { type: "text/javascript; charset=utf-8", text: script },
  [`${dashboardPath}/style.css`]: { type: "text/css; charset=utf-8", text: style },
};

/** For a caller who is known. False: no page has the path. */
export function answerDashboard(path: string, response: ServerResponse): boolean {
  const file = Object.hasOwn(files, path) ? files[path] : undefined;
  if (file === undefined) return false;
  response.writeHead(200, headersOf(file.type));
  response.end(file.text);
  return true;
}

/** DA2 */
export function answerSignInPage(response: ServerResponse, ways: { github: boolean }): void {
  const words = ways.github
    ? '<p><a href="/sign-in/github">Sign in with GitHub</a></p>'
    : "<p>Run <code>baton open</code> on the machine of this Baton, and open the link that it prints.</p>";
  response.writeHead(401, headersOf("text/html; charset=utf-8"));
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Baton</title><h1>Baton</h1>${words}</html>\n`,
  );
}

function headersOf(type: string): Record<string, string> {
  return {
    "content-type": type,
    "content-security-policy": policy,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}
