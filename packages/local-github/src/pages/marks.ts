/** Small parts that every page shows: person, time, outcome. */
import type { Site } from "../site.ts";
import { accountOf, type CheckRun, findAccount, fullName, type Repository } from "../state.ts";
import { type Html, html } from "./html.ts";
import type { References } from "./markdown.ts";

export function avatar(site: Site, accountId: number): Html {
  const account = accountOf(site.state, accountId);
  const bot = account.kind === "Bot";
  const hue = (account.id * 47) % 360;
  return html`<span class="avatar ${bot ? "bot" : ""}" style="background:hsl(${hue} 45% 42%)" aria-hidden="true">${
    account.login[0]?.toUpperCase() ?? "?"
  }</span>`;
}

export function who(site: Site, accountId: number): Html {
  const account = accountOf(site.state, accountId);
  if (account.kind !== "Bot") return html`<b>${account.login}</b>`;
  return html`<b>${account.login.replace("[bot]", "")}</b> <span class="small">bot</span>`;
}

export function when(at: string): Html {
  return html`<time datetime="${at}">${at.replace("T", " ").replace("Z", " UTC")}</time>`;
}

/** A sign and a word, because color alone tells many people nothing. */
export function outcome(run: Pick<CheckRun, "status" | "conclusion">): Html {
  if (run.status !== "completed") return html`<span class="yellow" title="${run.status}">●</span>`;
  switch (run.conclusion) {
    case "success":
      return html`<span class="green" title="success">✓</span>`;
    case "neutral":
    case "skipped":
    case "cancelled":
      return html`<span class="muted" title="${run.conclusion}">◌</span>`;
    case "failure":
    case "timed_out":
    case "action_required":
    case null:
      return html`<span class="red" title="${run.conclusion}">✗</span>`;
  }
}

export function where(site: Site, repository: Repository): Html {
  const name = fullName(site.state, repository);
  const [owner = "", short = ""] = name.split("/");
  return html`<a href="/">${owner}</a> / <a href="/${name}"><b>${short}</b></a>
<nav><a href="/${name}">Code</a><a href="/${name}/issues">Issues</a><a href="/${name}/pulls">Pull requests</a></nav>`;
}

export function references(site: Site, repository: Repository): References {
  const name = fullName(site.state, repository);
  return {
    thread(number) {
      const thread = repository.threads.get(number);
      return thread === undefined ? null : `/${name}/${thread.pull === null ? "issues" : "pull"}/${number}`;
    },
    account(login) {
      const found = findAccount(site.state, login);
      return found === undefined ? null : `/${encodeURIComponent(found.login)}`;
    },
  };
}
