/**
 * A person who acts in the pages: comments, approves, requests changes. Only a local GitHub that was started for a player
 * has the form.
 *
 * SP1 Only this GitHub's own pages can act: each form holds a key that no other site knows.
 */
import { isSameText } from "../../../../src/adapters/system/same-text.ts";
import { type Answer, Refusal } from "../answer.ts";
import { addReview } from "../deeds/reviews.ts";
import { addComment } from "../deeds/threads.ts";
import { isPull } from "../resources/pull-request.ts";
import type { Site } from "../site.ts";
import { findAccount, findRepository, fullName, type Repository, type Thread } from "../state.ts";
import { type Html, html } from "./html.ts";

export interface Player {
  login: string;
  /** Comments that a button writes. */
  phrases: readonly string[];
  key: string;
}

const suffix = "/_say";

export function speakForm(site: Site, repository: Repository, thread: Thread): Html | null {
  const { player } = site;
  if (player === null || thread.state === "closed") return null;
  const kind = thread.pull === null ? "issues" : "pull";
  const button = (deed: string, words: string, style = ""): Html =>
    html`<button name="deed" value="${deed}" class="${style}">${words}</button>`;
  const phrases = player.phrases.map(
    (phrase) => html`<button name="phrase" value="${phrase}"><code>${phrase}</code></button>`,
  );
  return html`<form class="speak box" method="post" action="/${fullName(site.state, repository)}/${kind}/${thread.number}${suffix}">
<div class="head">You are <b>${player.login}</b></div><div class="body">
<input type="hidden" name="key" value="${player.key}">
<textarea name="body" rows="4" aria-label="Your comment"></textarea>
<div class="buttons">${button("comment", "Comment")}${
    thread.pull === null
      ? null
      : [button("approve", "Approve", "green"), button("request-changes", "Request changes", "red")]
  } ${phrases}</div></div></form>`;
}

/** null: the path is not that of a form. */
export function speak(site: Site, path: string, fields: URLSearchParams): Answer | null {
  const { player } = site;
  if (player === null || !path.endsWith(suffix)) return null;
  const [owner = "", name = "", kind = "", number = ""] = path.slice(0, -suffix.length).split("/").slice(1);
  const repository = findRepository(site.state, owner, name);
  const thread = repository?.threads.get(Number(number));
  const account = findAccount(site.state, player.login);
  if (repository === undefined || thread === undefined || account === undefined) return null;
  if (!isSameText(player.key, fields.get("key") ?? "")) throw new Refusal(403, "This form is not from here.");
  const doer = { accountId: account.id, appId: null };
  const phrase = fields.get("phrase");
  const body = (phrase ?? fields.get("body") ?? "").replaceAll("\r\n", "\n").trim();
  const deed = phrase === null ? fields.get("deed") : "comment";
  if (deed === "comment") {
    if (body !== "") addComment(site, repository, { thread, body, doer });
  } else if (isPull(thread) && (deed === "approve" || deed === "request-changes")) {
    const event = deed === "approve" ? "APPROVE" : "REQUEST_CHANGES";
    // GitHub wants words with a request for changes.
    const words = body === "" && event === "REQUEST_CHANGES" ? "Please change this." : body;
    addReview(site, repository, { thread, event, body: words, sha: null, comments: [], doer });
  }
  return { status: 303, headers: { location: `/${owner}/${name}/${kind}/${number}` } };
}
