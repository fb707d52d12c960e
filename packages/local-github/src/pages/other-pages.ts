/** Lists, a repository's front page, a check run with its log, a file. */
import type { Answer } from "../answer.ts";
import { commitSha } from "../git.ts";
import { readBlob, readEntry, readTree } from "../git-objects.ts";
import { gitDirectory, type Site } from "../site.ts";
import { branchRef, type CheckRun, fullName, type Repository, type Thread } from "../state.ts";
import { type Html, html } from "./html.ts";
import { layout, textPage } from "./layout.ts";
import { markdown } from "./markdown.ts";
import { outcome, references, when, where, who } from "./marks.ts";

export function homePage(site: Site): Answer {
  const rows = [...site.state.repositories.values()].map((one) => {
    const name = fullName(site.state, one);
    return html`<div class="row"><div class="grow"><a href="/${name}"><b>${name}</b></a> <span class="small">${one.private ? "Private" : "Public"}</span> <span class="muted">${one.description ?? ""}</span></div></div>`;
  });
  const body = html`<h1 class="title">Repositories</h1><div class="box">${rows}</div>`;
  return layout({ title: "Local GitHub", where: html`<b>Local GitHub</b>` }, body);
}

function threadRow(site: Site, repository: Repository, thread: Thread): Html {
  const name = fullName(site.state, repository);
  const merged = thread.pull?.mergedAt != null;
  const colour = thread.state === "open" ? "green" : merged || thread.pull === null ? "purple" : "red";
  const state = merged ? "merged" : thread.state;
  return html`<div class="row"><span class="${colour}" title="${state}">●</span><div class="grow">
<a href="/${name}/${thread.pull === null ? "issues" : "pull"}/${thread.number}"><b>${thread.title}</b></a>
<div class="muted">#${thread.number} · ${state} · ${who(site, thread.authorId)} · ${when(thread.createdAt)}</div></div></div>`;
}

export function listPage(site: Site, repository: Repository, kind: "issues" | "pulls"): Answer {
  const threads = [...repository.threads.values()].filter((one) => (one.pull === null) === (kind === "issues"));
  const rows = threads.toReversed().map((one) => threadRow(site, repository, one));
  const title = kind === "issues" ? "Issues" : "Pull requests";
  const none = html`<div class="row muted">None yet.</div>`;
  const body = html`<h1 class="title">${title}</h1><div class="box">${rows.length === 0 ? none : rows}</div>`;
  return layout({ title: `${title} · ${fullName(site.state, repository)}`, where: where(site, repository) }, body);
}

export async function repositoryPage(site: Site, repository: Repository): Promise<Answer> {
  const sha = repository.refs.get(branchRef(repository.defaultBranch));
  const directory = gitDirectory(site, repository.id);
  const entries = sha === undefined ? [] : ((await readTree(directory, sha)) ?? []);
  const name = fullName(site.state, repository);
  const rows = entries.map((one) => {
    const path = html`/${name}/raw/${repository.defaultBranch}/${encodeURIComponent(one.path)}`;
    const link = one.type === "blob" ? html`<a href="${path}">${one.path}</a>` : html`${one.path}/`;
    return html`<div class="row"><div class="grow">${link}</div></div>`;
  });
  const open = [...repository.threads.values()].filter((one) => one.state === "open").toReversed();
  const threads = open.map((one) => threadRow(site, repository, one));
  const body = html`<h1 class="title">${name} <span class="small">${repository.private ? "Private" : "Public"}</span></h1>
<p class="muted">${repository.description ?? ""}</p><h2 class="part">Open</h2>
<div class="box">${threads.length === 0 ? html`<div class="row muted">Nothing is open.</div>` : threads}</div>
<h2 class="part">Files <code>${repository.defaultBranch}</code></h2><div class="box">${rows}</div>`;
  return layout({ title: name, where: where(site, repository) }, body);
}

export function runPage(site: Site, repository: Repository, run: CheckRun): Answer {
  const { title, summary, text } = run.output;
  const known = references(site, repository);
  const log = repository.jobLogs.get(run.id);
  const notes = run.annotations.map(
    (one) =>
      html`<div class="row"><span class="${one.annotation_level === "failure" ? "red" : "yellow"}">▲</span><div class="grow"><code>${one.path}:${one.start_line}</code> <b>${one.title ?? ""}</b> ${one.message}</div></div>`,
  );
  const body = html`<h1 class="title">${outcome(run)} ${run.name}</h1>
<div class="meta">${run.conclusion ?? run.status} at <code>${run.headSha.slice(0, 7)}</code>${run.completedAt === null ? null : html` on ${when(run.completedAt)}`}</div>
${title === null ? null : html`<h2 class="part">${title}</h2>`}
<div class="md">${summary === null ? null : markdown(summary, known)}</div><div class="md">${text === null ? null : markdown(text, known)}</div>
${notes.length === 0 ? null : html`<h2 class="part">Annotations</h2><div class="box">${notes}</div>`}
${log === undefined ? null : html`<h2 class="part">Log</h2><pre class="log">${log.replace(/^\S+Z /gm, "")}</pre>`}`;
  return layout({ title: `${run.name} · ${fullName(site.state, repository)}`, where: where(site, repository) }, body);
}

/** `/raw/<ref>/<path>`. A ref may contain slashes, so the shortest prefix that names a commit wins. */
export async function rawPage(site: Site, repository: Repository, segments: string[]): Promise<Answer | null> {
  const directory = gitDirectory(site, repository.id);
  for (let at = 1; at < segments.length; at += 1) {
    const ref = segments.slice(0, at).join("/");
    const sha =
      repository.refs.get(branchRef(ref)) ?? (/^[0-9a-f]{7,64}$/.test(ref) ? await commitSha(directory, ref) : null);
    if (sha == null) continue;
    const entry = await readEntry(directory, sha, segments.slice(at).join("/"));
    const bytes = entry?.type === "blob" ? await readBlob(directory, entry.sha) : null;
    return bytes === null ? null : textPage(bytes);
  }
  return null;
}
