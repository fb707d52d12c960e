/** A patch as a table with line numbers. */
import type { FileDifference } from "../git-objects.ts";
import { type Html, html } from "./html.ts";

export function fileDifference(file: FileDifference): Html {
  const name = file.previousPath === null ? file.path : `${file.previousPath} → ${file.path}`;
  const body =
    file.patch === null ? html`<div class="row muted">Binary or without changed lines.</div>` : patchTable(file.patch);
  return html`<details class="file" open><summary>${name}
<span class="green">+${file.additions}</span> <span class="red">−${file.deletions}</span>
<span class="small">${file.status}</span></summary>${body}</details>`;
}

function patchTable(patch: string): Html {
  let before = 0;
  let after = 0;
  const rows = patch.split("\n").map((line) => {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk !== null) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      return html`<tr class="hunk"><td class="n"></td><td class="n"></td><td>${line}</td></tr>`;
    }
    if (line.startsWith("+"))
      return html`<tr class="added"><td class="n"></td><td class="n">${after++}</td><td>${line}</td></tr>`;
    if (line.startsWith("-"))
      return html`<tr class="removed"><td class="n">${before++}</td><td class="n"></td><td>${line}</td></tr>`;
    if (line.startsWith("\\"))
      return html`<tr><td class="n"></td><td class="n"></td><td class="muted">${line}</td></tr>`;
    return html`<tr><td class="n">${before++}</td><td class="n">${after++}</td><td>${line}</td></tr>`;
  });
  return html`<table class="diff"><tbody>${rows}</tbody></table>`;
}
