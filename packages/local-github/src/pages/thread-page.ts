/** An issue or a pull request: its conversation in order, then checks and files. */
import type { Answer } from "../answer.ts";
import { pullRange } from "../deeds/pulls.ts";
import { type CommitFacts, readCommits, readDifference } from "../git-objects.ts";
import { latestRuns, latestStatuses, requiredChecksMissing } from "../required-checks.ts";
import { isPull, type PullThread } from "../resources/pull-request.ts";
import type { Site } from "../site.ts";
import { accountOf, fullName, type Reaction, type Repository, type Review, type Thread } from "../state.ts";
import { fileDifference } from "./diff.ts";
import { type Html, html, type Part } from "./html.ts";
import { layout } from "./layout.ts";
import { markdown } from "./markdown.ts";
import { avatar, outcome, references, when, where, who } from "./marks.ts";
import { speakForm } from "./speak.ts";

interface Place {
  site: Site;
  repository: Repository;
}

interface Entry {
  at: string;
  /** Ids grow with time, so they order events within one second. Commits come first. */
  id: number;
  part: Html;
}

export async function threadPage(site: Site, repository: Repository, thread: Thread): Promise<Answer> {
  const place = { site, repository };
  const entries = [...conversation(place, thread), ...(isPull(thread) ? await pullEntries(place, thread) : [])];
  entries.sort((a, b) => (a.at === b.at ? a.id - b.id : a.at < b.at ? -1 : 1));
  const body = html`<h1 class="title">${thread.title} <span class="number">#${thread.number}</span></h1>
<div class="meta">${badge(thread)}${summary(place, thread)} ${labels(repository, thread)}</div>
<div class="timeline">${entries.map((entry) => entry.part)}${ending(place, thread)}</div>
${speakForm(site, repository, thread)}
${isPull(thread) ? await pullParts(place, thread) : null}`;
  const name = fullName(site.state, repository);
  const title = `${thread.title} · #${thread.number} · ${name}`;
  return layout({ title, where: where(site, repository), player: site.player?.login }, body);
}

function badge(thread: Thread): Html {
  if (thread.pull?.mergedAt != null) return html`<span class="badge merged">Merged</span>`;
  if (thread.state === "closed")
    return html`<span class="badge ${thread.pull === null ? "closed" : "refused"}">Closed</span>`;
  if (thread.pull?.draft === true) return html`<span class="badge draft">Draft</span>`;
  return html`<span class="badge open">Open</span>`;
}

function summary({ site }: Place, thread: Thread): Html {
  const { pull } = thread;
  if (pull === null) return html`${who(site, thread.authorId)} opened this issue on ${when(thread.createdAt)}`;
  const commits = `${pull.counts.commits} commit${pull.counts.commits === 1 ? "" : "s"}`;
  const verb = pull.mergedAt === null ? "wants to merge" : "merged";
  const actor = pull.mergedById ?? thread.authorId;
  return html`${who(site, actor)} ${verb} ${commits} into <code>${pull.baseRef}</code> from <code>${pull.headRef}</code>
<span class="green">+${pull.counts.additions}</span> <span class="red">−${pull.counts.deletions}</span>`;
}

function labels(repository: Repository, thread: Thread): Part {
  return thread.labelIds.map((id) => html` <span class="label">${repository.labels.get(id)?.name ?? ""}</span>`);
}

function conversation(place: Place, thread: Thread): Entry[] {
  const { repository } = place;
  const opening = { authorId: thread.authorId, at: thread.createdAt, body: thread.body ?? "", anchor: "top" };
  const comments = [...repository.comments.values()].filter((one) => one.threadNumber === thread.number);
  return [
    // First, even if commits are older than the thread.
    {
      at: "",
      id: -1,
      part: written(place, { ...opening, reactions: thread.reactions, edited: false, minimized: null }),
    },
    ...comments.map((one) => ({
      at: one.createdAt,
      id: one.id,
      part: written(place, {
        authorId: one.authorId,
        at: one.createdAt,
        body: one.body,
        anchor: `issuecomment-${one.id}`,
        reactions: one.reactions,
        edited: one.updatedAt !== one.createdAt,
        minimized: one.minimized ?? null,
      }),
    })),
  ];
}

interface Written {
  authorId: number;
  at: string;
  body: string;
  anchor: string;
  reactions: Reaction[];
  edited: boolean;
  /** Why it is minimized. Null: it is not. */
  minimized: string | null;
}

function written({ site, repository }: Place, one: Written): Html {
  const text = one.body.trim() === "" ? html`<em class="muted">No description provided.</em>` : null;
  const body = html`<div class="body md">${text ?? markdown(one.body, references(site, repository))}</div>${reactionBar(one.reactions)}`;
  const folded = html`<details><summary class="muted">This comment was marked as ${(one.minimized ?? "").toLowerCase()}.</summary>${body}</details>`;
  return html`<article class="entry" id="${one.anchor}">${avatar(site, one.authorId)}<div class="box">
<div class="head">${who(site, one.authorId)} commented on ${when(one.at)}${one.edited ? " · edited" : ""}</div>
${one.minimized === null ? body : folded}
</div></article>`;
}

const faces: Record<Reaction["content"], string> = {
  "+1": "👍",
  "-1": "👎",
  laugh: "😄",
  confused: "😕",
  heart: "❤️",
  hooray: "🎉",
  rocket: "🚀",
  eyes: "👀",
};

function reactionBar(reactions: Reaction[]): Part {
  if (reactions.length === 0) return null;
  const kinds = [...new Set(reactions.map((one) => one.content))];
  const marks = kinds.map((kind) => {
    const count = reactions.filter((one) => one.content === kind).length;
    return html`<span class="small" title="${kind}">${faces[kind]} ${count}</span>`;
  });
  return html`<div class="reactions">${marks}</div>`;
}

function ending({ site }: Place, thread: Thread): Part {
  if (thread.closedAt === null || thread.closedById === null) return null;
  const merged = thread.pull?.mergedAt != null;
  const words = merged
    ? html`merged commit <code>${thread.pull?.mergeSha?.slice(0, 7) ?? ""}</code>`
    : html`closed this`;
  return html`<div class="entry event"><span class="dot ${merged ? "purple" : "red"}"></span>${who(site, thread.closedById)} ${words} on ${when(thread.closedAt)}</div>`;
}

async function pullEntries(place: Place, thread: PullThread): Promise<Entry[]> {
  const range = await pullRange(place.site, place.repository, thread.pull);
  const commits = await readCommits(range.directory, [`${range.from}..${range.to}`]);
  const reviews = thread.pull.reviews.filter((one) => one.submittedAt !== null);
  return [
    ...commits.toReversed().map((one, index) => ({ at: one.author.date, id: index - 1000, part: commitLine(one) })),
    ...reviews.map((one) => ({ at: one.submittedAt ?? "", id: one.id, part: reviewEntry(place, thread, one) })),
  ];
}

function commitLine(commit: CommitFacts): Html {
  const [subject = ""] = commit.message.split("\n");
  return html`<div class="entry event"><span class="dot"></span>${commit.author.name} committed <b>${subject}</b> <code>${commit.sha.slice(0, 7)}</code></div>`;
}

const verdicts: Record<Review["state"], { words: string; dot: string }> = {
  APPROVED: { words: "approved these changes", dot: "green" },
  CHANGES_REQUESTED: { words: "requested changes", dot: "red" },
  COMMENTED: { words: "reviewed", dot: "" },
  DISMISSED: { words: "had their review dismissed", dot: "" },
  PENDING: { words: "is reviewing", dot: "" },
};

function reviewEntry({ site, repository }: Place, thread: PullThread, review: Review): Html {
  const { words, dot } = verdicts[review.state];
  const comments = thread.pull.reviewComments.filter((one) => one.reviewId === review.id);
  const known = references(site, repository);
  const texts = [
    review.body === "" ? null : html`<div class="body md">${markdown(review.body, known)}</div>`,
    ...comments.map(
      (
        one,
      ) => html`<div class="row"><div class="grow"><code>${one.path}${one.line === null ? "" : `:${one.line}`}</code>
<div class="md">${markdown(one.body, known)}</div></div></div>`,
    ),
  ].filter((part) => part !== null);
  const old = review.sha === thread.pull.headSha ? null : html` <span class="small">outdated</span>`;
  const line = html`<span class="dot ${dot}"></span>${who(site, review.authorId)} ${words} at <code>${review.sha.slice(0, 7)}</code>${old} on ${when(review.submittedAt ?? "")}`;
  return html`<div class="entry event" id="pullrequestreview-${review.id}">${line}${texts.length === 0 ? null : html`<div class="box">${texts}</div>`}</div>`;
}

async function pullParts(place: Place, thread: PullThread): Promise<Html> {
  const { site, repository } = place;
  const range = await pullRange(site, repository, thread.pull);
  const files = await readDifference(range.directory, range.from, range.to);
  return html`<h2 class="part">Checks <code>${thread.pull.headSha.slice(0, 7)}</code></h2>${checks(place, thread)}
<h2 class="part" id="files">Files changed <span class="muted">${files.length}</span></h2>${files.map(fileDifference)}`;
}

function checks({ site, repository }: Place, thread: PullThread): Html {
  const sha = thread.pull.headSha;
  const name = fullName(site.state, repository);
  const runs = latestRuns([...repository.checkRuns.values()].filter((run) => run.headSha === sha));
  const rows = [
    ...runs.map((run) => {
      const app = site.state.apps.get(run.appId)?.name ?? "";
      const said = run.output.title ?? run.conclusion ?? run.status;
      return html`<div class="row">${outcome(run)}<div class="grow"><b>${run.name}</b> <span class="muted">${app} · ${said}</span></div><a href="/${name}/runs/${run.id}">Details</a></div>`;
    }),
    ...latestStatuses(repository, sha).map((one) => {
      const conclusion = one.state === "success" ? "success" : one.state === "pending" ? null : "failure";
      const mark = outcome({ status: conclusion === null ? "in_progress" : "completed", conclusion });
      return html`<div class="row">${mark}<div class="grow"><b>${one.context}</b> <span class="muted">${one.description ?? ""}</span></div></div>`;
    }),
  ];
  const missing = requiredChecksMissing(repository, { branch: thread.pull.baseRef, sha });
  const approvals = thread.pull.reviews.filter((one) => one.state === "APPROVED" && one.sha === sha);
  const names = approvals.map((one) => accountOf(site.state, one.authorId).login).join(", ");
  const wanted = thread.pull.requestedReviewerIds.map((id) => accountOf(site.state, id).login).join(", ");
  return html`<div class="box">${rows.length === 0 ? html`<div class="row muted">No checks yet.</div>` : rows}
${missing.length === 0 || thread.state === "closed" ? null : html`<div class="row yellow">Required and not green: ${missing.join(", ")}</div>`}
${names === "" ? null : html`<div class="row"><span class="green">✓</span> Approved at this commit by ${names}</div>`}
${wanted === "" ? null : html`<div class="row"><span class="yellow">●</span> Review requested from ${wanted}</div>`}
${thread.state === "open" && !thread.pull.mergeable ? html`<div class="row red">This branch has conflicts.</div>` : null}</div>`;
}
