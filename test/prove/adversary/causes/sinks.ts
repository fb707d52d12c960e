/** Other people's and agents' words in what Baton writes: they are read, and do nothing. */

import { createLog } from "../../../../src/adapters/system/log.ts";
import { commands as grammars } from "../../../../src/commands/index.ts";
import { cell } from "../../../../src/prompt/cell.ts";
import { pullRequestText } from "../../../../src/prompt/handoff.ts";
import { parseMarker, withMarker } from "../../../../src/text/marker.ts";
import { neutralise } from "../../../../src/text/neutralise.ts";
import { parseCommand } from "../../../../src/thread/parse-command.ts";
import type { Draw } from "../../draw.ts";
import { type Cause, defineCause } from "../cause.ts";
import { closedBy, lyingLinks, mentionsIn, type Rendered, renderedByGithub, runnerObeys } from "../github-reader.ts";

const sha = "a".repeat(40);

/** The pull request's text of an agent whose report holds `text`. */
function pullRequest(text: string): string {
  const report = `### Intent\n${text}\n### Risks\nNone.`;
  return pullRequestText({
    thread: { number: 12, kind: "pull-request", title: "Fix the sum" },
    plan: text,
    steps: [
      {
        harness: "small",
        model: "m",
        text: report,
        sessionId: null,
        baseSha: sha,
        headSha: sha,
        commits: 1,
        files: [],
        rescued: false,
        turns: 1,
        transcriptId: null,
        promptId: null,
      },
    ],
  }).body;
}

const sinks: readonly ((text: string) => string)[] = [
  neutralise,
  pullRequest,
  (text) => `| x |\n|---|\n| ${cell(text)} |`,
];

/** What Markdown and HTML lose on the way, thrown in where it hurts. */
const lost = [
  "<b></b>",
  "<i></i>",
  "<span></span>",
  "<sub></sub>",
  "<br>",
  "<!-- -->",
  "<!---->",
  "<a></a>",
  "<details></details>",
  "</b>",
  "<b>",
  "\u200b",
  "\u2060",
  "<kbd></kbd>",
  "&#8203;",
  "&zwj;",
  "\\",
  "<x-y></x-y>",
  "<p></p>",
  "<?x?>",
  "<![CDATA[]]>",
];

/** `text` with something that gets lost at a place or two. */
function cutUp(text: string, draw: Draw): string {
  const characters = [...text];
  for (let times = draw.whole(0, 2); times > 0; times -= 1)
    characters.splice(draw.whole(0, characters.length), 0, draw.one(lost));
  return characters.join("");
}

function inert(
  name: string,
  guard: string,
  fixed: readonly string[],
  wanted: (draw: Draw) => string,
  alive: (source: string, rendered: Rendered) => string | null,
): Cause {
  return defineCause<string>({
    name,
    surface: "agent",
    guard: `src/text/neutralise.ts: ${guard}`,
    fixed,
    draw: (draw) =>
      `${draw.flip() ? `${draw.word()} ` : ""}${cutUp(wanted(draw), draw)}${draw.flip() ? ` ${draw.word()}` : ""}`,
    attack(text, guarded) {
      for (const sink of guarded ? sinks : [(same: string) => same]) {
        const source = sink(text);
        const found = alive(source, renderedByGithub(source));
        if (found !== null) return `${found} in ${JSON.stringify(source.slice(0, 200))}`;
      }
      return null;
    },
  });
}

const first = (found: readonly string[]): string | null => found[0] ?? null;

const mentions = inert(
  "mentions in what Baton writes",
  "nobody is pinged",
  ["@<b></b>bob", "ping @bob and @acme/team", "&#64;bob", "@<i></i>acme/team", "\\@bob", "&commat;bob"],
  (draw) =>
    `${draw.one(["", "(", "**", "cc ", "> ", "- "])}@${draw.one(["bob", "acme/team", "everyone", draw.word()])}${draw.one(["", ")", ".", "**"])}`,
  (_, rendered) => first(mentionsIn(rendered)),
);

const keywords = inert(
  "closing keywords in what Baton writes",
  "nothing is closed",
  [
    "fix<b></b>es #1",
    "Fixes <b></b>#1",
    "closes acme/shop#3",
    "Resolves: #7",
    "fixes GH-1",
    "fixes https://github.com/acme/shop/issues/9",
  ],
  (draw) =>
    `${draw.one(["fixes", "Fix", "closes", "CLOSED", "resolve", "Resolves", "fixed"])}${draw.one([" ", ": ", "  ", "\n", ":"])}${draw.one(
      [
        `#${draw.whole(1, 99)}`,
        `acme/shop#${draw.whole(1, 99)}`,
        `GH-${draw.whole(1, 99)}`,
        `https://github.com/acme/shop/issues/${draw.whole(1, 99)}`,
        `https://github.com/acme/shop/pull/${draw.whole(1, 99)}`,
      ],
    )}`,
  (source, rendered) => first(closedBy(source, rendered)),
);

const images = inert(
  "images that are fetched from elsewhere",
  "no picture is loaded",
  [
    "![x]<b></b>(http://evil.example/leak.png?q=1)",
    "![x](http://evil.example/i.png)",
    "<<b></b>img src=http://evil.example/i.png>",
    "<img src=http://evil.example>",
  ],
  (draw) => {
    const address = `https://${draw.word()}.example/${draw.word()}.png?q=${draw.word()}`;
    const label = draw.word(3);
    return draw.one([
      `![${draw.word()}](${address})`,
      `![${label}][${label}]\n\n[${label}]: ${address}\n`,
      `<img src="${address}">`,
      `<img src='${address}' width=1 height=1>`,
      `[![${label}](${address})](${address})`,
      `<picture><source srcset="${address}"><img src="${address}"></picture>`,
    ]);
  },
  (_, { html }) => (/<(?:img|picture|source|video|audio|svg|iframe)\b/i.test(html) ? "an image" : null),
);

const links = inert(
  "links that lie about where they lead",
  "a link shows where it leads",
  [
    "[https://github.com/login]<b></b>(http://evil.example)",
    "[https://github.com/login](http://evil.example)",
    '<a href="http://evil.example">https://github.com</a>',
    "[Sign in](http://evil.example)",
  ],
  (draw) => {
    const shown = draw.one(["https://github.com/login", "Sign in", "#12", "`npm test`", "github.com/acme/shop"]);
    const address = `${draw.one(["http", "https"])}://${draw.one(["github.com.", "", "www."])}${draw.word()}.example/${draw.word()}`;
    const label = draw.word(3);
    return draw.one([
      `[${shown}](${address})`,
      `[${shown}](<${address}>)`,
      `<a href="${address}">${shown}</a>`,
      `[${shown}][${label}]\n\n[${label}]: ${address}\n`,
      `[${shown}](//${draw.word()}.example)`,
      `[**${shown}**](${address} "https://github.com")`,
    ]);
  },
  (_, rendered) => first(lyingLinks(rendered)),
);

/** What Baton writes below the text of others. */
const below = "MEASURED-BY-GIT";
const swallowed = inert(
  "open comments, folds and fences that swallow what comes below",
  "what comes after a text is not changed by it",
  ["<<b></b>!-- swallow", "<!-- swallow", "```\nnever closed", "<details><summary>x</summary>", "<<b></b>/details>"],
  (draw) =>
    draw.one([
      "<!-- ",
      `<!-- ${draw.word()}`,
      "```",
      "~~~~",
      "````js",
      "<details>",
      "<details><summary>",
      "</details></details>",
      "<pre>",
      "<script>",
      "<table><tr><td>",
      '<div title="',
      "<?",
      "<![CDATA[",
      "<textarea>",
      "<xmp>",
    ]) + draw.word(),
  (source) => {
    const { html } = renderedByGithub(`<details>\n\n${source}\n\n</details>\n\n${below}\n`);
    const at = html.indexOf(below);
    if (at === -1) return "what Baton writes below does not show";
    const before = html.slice(0, at);
    const open = (name: string): number =>
      (before.match(new RegExp(`<${name}\\b`, "g")) ?? []).length -
      (before.match(new RegExp(`</${name}>`, "g")) ?? []).length;
    const within = ["details", "pre", "code", "table", "blockquote"].find((name) => open(name) !== 0);
    return within === undefined ? null : `what Baton writes below is in <${within}>`;
  },
);

const markers = inert(
  "markers of Baton's own in the words of others",
  "src/text/marker.ts: only markers at the very end count, and none comes through",
  ["<!-- baton:op=status:run_1 -->", "<<b></b>!-- baton:op=status:run_1 -->", "x\n\n<!-- baton:op=final:run_1 -->\n"],
  (draw) =>
    `<!-- baton:${draw.one(["op", "ask", "plan"])}=${draw.one(["status", "final", "reply", "review"])}:run_${draw.word()} -->`,
  (source) => {
    if (parseMarker(source) !== null) return `marker ${parseMarker(source)}`;
    const own = withMarker(source, "status:run_own");
    return parseMarker(own) === "status:run_own" ? null : "Baton does not find its own marker";
  },
);

const runnerCommandNames = [
  "add-mask",
  "error",
  "set-output",
  "stop-commands",
  "warning",
  "group",
  "set-env",
  "save-state",
  "notice",
];
const lines = (source: string): string[] => source.split(/\r\n|[\n\r]/);
const workflowCommands = inert(
  "workflow commands in what Baton writes",
  "no line is a command to a runner",
  [
    "::error::x",
    "##[add-mask]x",
    "done ##[add-mask]x",
    ":<b></b>:set-output name=x::y",
    "  ::stop-commands::x",
    "> ##[group]x",
  ],
  (draw) => {
    const name = draw.one(runnerCommandNames);
    return `${draw.one(["", " ", "  ", "> ", "\u00a0", `${draw.word()}\n`])}${draw.one([
      `::${name}::${draw.word()}`,
      `::${name} name=${draw.word()}::${draw.word()}`,
      `##[${name}]${draw.word()}`,
      `##[${name} name=x]${draw.word()}`,
      `${draw.word()} ##[${name}]${draw.word()}`,
      `::${name.toUpperCase()}::${draw.word()}`,
    ])}`;
  },
  (source) => first(lines(source).filter(runnerObeys)),
);

const logged = defineCause<string>({
  name: "workflow commands in Baton's log",
  surface: "agent",
  guard: "src/adapters/system/log.ts: a line of the log is no command to the runner that shows it",
  fixed: ["##[add-mask]x", "x\n::error::y", "done ##[stop-commands]t"],
  draw(draw) {
    const name = draw.one(runnerCommandNames);
    return `${draw.one(["", `${draw.word()} `, `${draw.word()}\n`, "\r", "\u2028"])}${draw.one([`##[${name}]`, `::${name}::`, `##[${name} a=b]`])}${draw.word()}`;
  },
  attack(text, guarded) {
    const written: string[] = [];
    if (guarded) {
      const log = createLog({
        level: "info",
        redact: (same) => same,
        destination: { write: (line) => void written.push(line) },
      });
      log.info(text, { note: text, error: new Error(text) });
    } else written.push(text);
    return first(written.flatMap(lines).filter(runnerObeys));
  },
});

const ownCommands = inert(
  "commands to Baton in what Baton writes",
  "no line of it is a command",
  ["/baton approve", "x\n/baton run", "/ba<b></b>ton run", "> x\n\n/baton cancel"],
  (draw) =>
    `${draw.one(["", `${draw.word()}\n`, `${draw.word()}\n\n`, "  "])}/baton ${draw.one(["run", "approve", "cancel", "budget +5"])}`,
  (source) => {
    const parsed = parseCommand(source, grammars);
    return parsed.kind === "none" ? null : `/baton ${parsed.kind}`;
  },
);

const references = inert(
  "references to other repositories in what Baton writes",
  "nothing is linked across repositories",
  ["acme/oth<b></b>er#5", "evil/repo#1", "evil/repo@0123456789abcdef0123456789abcdef01234567"],
  (draw) =>
    `${draw.word()}/${draw.word()}${draw.one([`#${draw.whole(1, 99)}`, "@0123456789abcdef0123456789abcdef01234567"])}`,
  (_, { text }) =>
    first([...text.matchAll(/(?<![\w./])[\w-]+\/[\w.-]+(?:#\d+|@[0-9a-f]{7,40}\b)/g)].map(([found]) => found)),
);

export const sinkCauses: readonly Cause[] = [
  mentions,
  keywords,
  images,
  links,
  swallowed,
  markers,
  workflowCommands,
  logged,
  ownCommands,
  references,
];
