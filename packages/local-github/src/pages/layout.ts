/** The frame of every page: head, style in light and dark, the breadcrumb line. */
import type { Answer } from "../answer.ts";
import { Html, html, type Part } from "./html.ts";

const style = `
:root{color-scheme:light dark;--text:#1f2328;--muted:#59636e;--page:#fff;--box:#f6f8fa;--line:#d1d9e0;--link:#0969da;
--green:#1a7f37;--red:#d1242f;--purple:#8250df;--yellow:#9a6700;--added:#dafbe1;--removed:#ffebe9;--hunk:#ddf4ff}
@media(prefers-color-scheme:dark){:root{--text:#f0f6fc;--muted:#9198a1;--page:#0d1117;--box:#151b23;--line:#3d444d;
--link:#4493f8;--green:#3fb950;--red:#f85149;--purple:#ab7df8;--yellow:#d29922;--added:#12261e;--removed:#25171c;--hunk:#121d2f}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
header.top{background:var(--box);border-bottom:1px solid var(--line);padding:14px 24px;font-size:15px}
header.top b{font-weight:600}header.top nav{margin-top:8px;display:flex;gap:20px;font-size:14px}
main{max-width:1012px;margin:24px auto;padding:0 16px}
h1.title{font-size:28px;line-height:1.25;font-weight:400;margin:0 0 8px;overflow-wrap:anywhere}h1.title .number{color:var(--muted)}
.meta{color:var(--muted);padding-bottom:16px;border-bottom:1px solid var(--line);margin-bottom:24px}
.badge{display:inline-block;border-radius:2em;padding:4px 12px;color:#fff;font-weight:500;margin-right:8px}
.badge.open{background:#1f883d}.badge.closed{background:#8250df}.badge.merged{background:#8250df}.badge.draft{background:#59636e}.badge.refused{background:#cf222e}
.small{display:inline-block;border:1px solid var(--line);border-radius:2em;padding:0 7px;font-size:12px;color:var(--muted)}
.label{display:inline-block;border-radius:2em;padding:0 9px;font-size:12px;font-weight:500;border:1px solid var(--line);background:var(--box)}
.timeline{border-left:2px solid var(--line);margin-left:20px;padding-left:0}
.entry{position:relative;margin:0 0 16px;padding-left:36px}
.entry>.avatar{position:absolute;left:-21px;top:0}
.avatar{display:inline-flex;width:40px;height:40px;border-radius:50%;align-items:center;justify-content:center;color:#fff;font-weight:600;border:2px solid var(--page)}
.avatar.bot{border-radius:8px}
.box{border:1px solid var(--line);border-radius:6px;background:var(--page);overflow:hidden}
.box>.head{background:var(--box);border-bottom:1px solid var(--line);padding:8px 16px;color:var(--muted)}
.box>.head b,.event b{color:var(--text);font-weight:600}
.box>.body{padding:16px}
.event{padding-top:6px;padding-bottom:6px;color:var(--muted)}.event .box{margin-top:8px;color:var(--text)}.event .dot{position:absolute;left:-10px;width:18px;height:18px;border-radius:50%;border:2px solid var(--page);background:var(--line)}
.event .dot.green{background:#1f883d}.event .dot.red{background:#cf222e}.event .dot.purple{background:#8250df}
.row{display:flex;gap:10px;align-items:baseline;padding:10px 16px;border-top:1px solid var(--line)}.row:first-child{border-top:0}
.row .grow{flex:1;min-width:0;overflow-wrap:anywhere}
.green{color:var(--green)}.red{color:var(--red)}.yellow{color:var(--yellow)}.muted{color:var(--muted)}.purple{color:var(--purple)}
h2.part code{font-size:14px;font-weight:400;color:var(--muted)}h2.part{font-size:20px;font-weight:600;margin:32px 0 12px}
.reactions{padding:0 16px 12px;display:flex;gap:6px}
code,pre,table.diff,.log{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:12px}
.md{overflow-wrap:break-word}.md>:first-child{margin-top:0}.md>:last-child{margin-bottom:0}
.md h1,.md h2{border-bottom:1px solid var(--line);padding-bottom:.3em}.md h1{font-size:1.7em}.md h2{font-size:1.4em}.md h3{font-size:1.2em}
.md code{background:var(--box);border-radius:6px;padding:.2em .4em}.md pre{background:var(--box);border-radius:6px;padding:16px;overflow:auto}.md pre code{background:none;padding:0}
.md table{border-collapse:collapse;display:block;overflow:auto;max-width:100%}.md th,.md td{border:1px solid var(--line);padding:6px 13px}.md th{background:var(--box)}
.md blockquote{margin:0 0 16px;padding:0 1em;color:var(--muted);border-left:.25em solid var(--line)}
.md img{max-width:100%}.md details{margin:8px 0}.md summary{cursor:pointer}.md li:has(>input){list-style:none}.md li>input{margin:0 .3em 0 -1.4em}
details.file{border:1px solid var(--line);border-radius:6px;margin-bottom:16px;overflow:hidden}
details.file>summary{background:var(--box);padding:8px 16px;cursor:pointer;font-family:ui-monospace,monospace;font-size:12px}
table.diff{border-collapse:collapse;width:100%;display:block;overflow:auto}table.diff tbody{display:table;min-width:100%}
table.diff td{padding:0 10px;line-height:20px;white-space:pre;vertical-align:top}table.diff td.n{color:var(--muted);text-align:right;user-select:none;width:1%;min-width:40px}
tr.added{background:var(--added)}tr.removed{background:var(--removed)}tr.hunk{background:var(--hunk);color:var(--muted)}
.log{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:16px;overflow:auto;white-space:pre;line-height:1.6;margin:0}
form.speak{margin:24px 0}form.speak textarea{width:100%;font:inherit;color:inherit;background:var(--page);border:1px solid var(--line);border-radius:6px;padding:8px}
.buttons{display:flex;flex-wrap:wrap;gap:8px;margin-top:8px}.buttons button{font:inherit;color:inherit;background:var(--box);border:1px solid var(--line);border-radius:6px;padding:5px 12px;cursor:pointer}
.buttons button.green{background:#1f883d;color:#fff}.buttons button.red{background:#cf222e;color:#fff}
footer{color:var(--muted);font-size:12px;text-align:center;padding:32px}
@media(max-width:600px){main{padding:0 8px}.timeline{margin-left:0;border-left:0}.entry{padding-left:0}.entry>.avatar{position:static;margin-bottom:4px}.event .dot{position:static;display:inline-block;vertical-align:middle;margin-right:6px}}
`;

/** Only content of the page itself: no script, no foreign image, no form but the player's. */
const policy = (forms: "'self'" | "'none'"): string =>
  `default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action ${forms}`;

export function layout(
  given: { title: string; where: Part; status?: number; player?: string | undefined },
  body: Part,
): Answer {
  const { player } = given;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${given.title}</title><style>${new Html(style)}</style></head>
<body><header class="top">${given.where}</header><main>${body}</main>
<footer>A local GitHub on this machine. ${player === undefined ? "Read only." : `You are ${player}. Reload to see news.`}</footer></body></html>`;
  return {
    status: given.status ?? 200,
    headers: {
      "content-security-policy": policy(player === undefined ? "'none'" : "'self'"),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
    raw: { bytes: Buffer.from(page.text), type: "text/html; charset=utf-8" },
  };
}

export function textPage(bytes: Buffer | string): Answer {
  return {
    status: 200,
    headers: { "x-content-type-options": "nosniff" },
    raw: { bytes: Buffer.from(bytes), type: "text/plain; charset=utf-8" },
  };
}
