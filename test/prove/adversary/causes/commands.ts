/** Commands that nobody gave: text that looks like one, in a place or in letters that do not count. */

import { z } from "zod";
import { commands as grammars } from "../../../../src/commands/index.ts";
import { defaultSettings } from "../../../../src/config/schema.ts";
import { toThreadEvent } from "../../../../src/intake/events.ts";
import { decideCommand } from "../../../../src/policy/decide-command.ts";
import { judge } from "../../../../src/policy/rule.ts";
import { policyRules } from "../../../../src/policy/rules/index.ts";
import type { CommandGrammar } from "../../../../src/thread/grammar.ts";
import { parseCommand } from "../../../../src/thread/parse-command.ts";
import type { Draw } from "../../draw.ts";
import { type Cause, defineCause } from "../cause.ts";

const guard = "src/thread/command-line.ts: a command is a line of the author's own text at top level";

/** The guard off: whatever begins with the word, anywhere, is given to the parser as the author's own text. */
function outOfPlace(body: string): string[] {
  return [...body.matchAll(/\/baton\b[^\n\]<`*~)]*/gi)].map(([line]) => line);
}

function obeyed(body: string, guarded: boolean): string | null {
  for (const text of guarded ? [body] : outOfPlace(body)) {
    const parsed = parseCommand(text, grammars);
    if (parsed.kind === "command") return `read as /baton ${parsed.name}`;
  }
  return null;
}

const orders = ["run", "approve", "cancel", "retry", "run --budget 5 now", "budget +5", "resume", "race claude codex"];
const talk = ["Thanks.", "I saw this:", "As bob wrote", "Please read", "", "Look here", "## Steps", "It fails."];

/** A command inside of something, with talk around it. */
function placed(name: string, fixed: readonly string[], wrap: (order: string, draw: Draw) => string): Cause {
  return defineCause<string>({
    name,
    surface: "thread",
    guard,
    fixed,
    draw(draw) {
      const inner = wrap(`/baton ${draw.one(orders)}`, draw);
      const before = draw.one(talk);
      return `${before === "" ? "" : `${before}\n\n`}${inner}`;
    },
    attack: obeyed,
  });
}

const inCode = placed("command in code", ["```\n/baton run\n```", "```\n/baton run"], (order, draw) => {
  const ticks = draw.one(["```", "````", "~~~", "~~~~", "`````"]);
  return draw.one([
    `${ticks}${draw.one(["", "sh", "text", "diff"])}\n${order}\n${ticks}`,
    `${ticks}\n${draw.word()}\n${order}\n${draw.flip() ? ticks : ""}`,
    `    ${order}`,
    `\t${order}`,
    `\`${order}\``,
    `\`\`\n${order}\n\`\``,
    `${draw.word()}\n\n    ${order}\n    ${draw.word()}`,
  ]);
});

const inQuote = placed("command in a quote", ["> /baton run", "> he said\n/baton run"], (order, draw) => {
  const marks = draw.one([">", "> >", ">>", "> > >", "  >"]);
  return draw.one([
    `${marks} ${order}`,
    `${marks} ${draw.word()}\n${order}`,
    `${marks} ${draw.word()}\n${marks} ${order}\n${marks} ${draw.word()}`,
    `${marks}${order}`,
  ]);
});

const inHtml = placed(
  "command in HTML",
  ["<!--\n/baton run\n-->", "<details>\n\n/baton run\n\n</details>"],
  (order, draw) => {
    const tag = draw.one(["details", "pre", "div", "table", "blockquote", "ul", "section", "center"]);
    return draw.one([
      `<!--\n${order}\n-->`,
      `<!-- ${draw.word()}\n${order}`,
      `<${tag}>\n${order}\n</${tag}>`,
      `<${tag}>\n\n${order}\n\n</${tag}>`,
      `<${tag} ${draw.one(["hidden", "open", 'class="x"'])}>\n\n${draw.word()}\n\n${order}\n`,
      `<b>\n${order}\n</b>`,
    ]);
  },
);

const inBlock = placed(
  "command in a list, table or heading",
  ["- /baton run", "| a |\n|---|\n| /baton run |"],
  (order, draw) => {
    const bullet = draw.one(["-", "*", "+", "1.", "7)", "- [ ]", "- [x]"]);
    return draw.one([
      `${bullet} ${order}`,
      `${bullet} ${draw.word()}\n\n${" ".repeat(bullet.indexOf(" ") === -1 ? bullet.length + 1 : 2)}${order}`,
      `| ${draw.word()} |\n|---|\n| ${order} |`,
      `${"#".repeat(draw.whole(1, 6))} ${order}`,
      `[^${draw.whole(1, 9)}]: ${order}`,
      `${bullet} ${draw.word()}\n${order}`,
      `$$\n${order}\n$$`,
    ]);
  },
);

const inLink = placed(
  "command in link text or emphasis",
  ["[/baton run](https://example.com)", "[\n/baton run](https://example.com)"],
  (order, draw) => {
    const address = `https://${draw.word()}.example/`;
    return draw.one([
      `[${order}](${address})`,
      `[\n${order}\n](${address})`,
      `![${order}](${address})`,
      `*${order}*`,
      `**${order}**`,
      `~~${order}~~`,
      `[${order}][${draw.word()}]`,
      `<${address}${order.replaceAll(" ", "%20")}>`,
      `${draw.word()} ${order}`,
    ]);
  },
);

const inMail = placed(
  "command in a quoted mail",
  ["On Monday, bob wrote:\n/baton run", "-----Original Message-----\n/baton run"],
  (order, draw) => {
    const who = draw.word();
    return draw.one([
      `On Mon, 2 Nov 2026 at 10:0${draw.whole(0, 9)}, ${who} <${who}@example.com> wrote:\n${order}`,
      `Am 02.11.2026 um 10:00 schrieb ${who}:\n${order}`,
      `Le 2 nov. 2026 à 10:00, ${who} a écrit :\n${order}`,
      `-----Original Message-----\nFrom: ${who}\n\n${order}`,
      `---------- Forwarded message ---------\n${order}`,
      `From: ${who} <${who}@example.com>\nSent: Monday\n\n${order}`,
      `Reply to this email directly or view it on GitHub\n${order}`,
    ]);
  },
);

const alike: Record<string, readonly string[]> = {
  // U+FF0F is not here: Chinese and Japanese keyboards write it for the slash, and it is read as one.
  "/": ["\u2044", "\u2215", "\u29f8"],
  a: ["\u0430", "\u0251", "\uff41", "\u00e0", "\u03b1"],
  b: ["\u042c", "\uff42", "\u0184", "\u13cf"],
  n: ["\u0578", "\uff4e", "\u03b7", "\u0274"],
  o: ["\u043e", "\u03bf", "\uff4f", "\u0585", "0"],
  t: ["\u0442", "\uff54", "\u03c4"],
};

/** The same letters to an eye, as a comparison by look sees them. */
function byLook(text: string): string {
  const letters = new Map(Object.entries(alike).flatMap(([letter, others]) => others.map((other) => [other, letter])));
  return [...text].map((character) => letters.get(character) ?? character).join("");
}

const homoglyph = defineCause<string>({
  name: "command in look-alike letters",
  surface: "thread",
  guard: "src/thread/parse-command.ts C3: commands are ASCII",
  fixed: ["/b\u0430ton run", "\u2215baton run", "/bat\u03bfn approve"],
  draw(draw) {
    const places = draw.shuffled([0, 1, 2, 3, 4, 5]).slice(0, draw.whole(1, 3));
    const written = [..."/baton"].map((letter, at) =>
      places.includes(at) ? draw.one(alike[letter] ?? [letter]) : letter,
    );
    return `${written.join("")} ${draw.one(orders)}`;
  },
  attack: (body, guarded) => obeyed(guarded ? body : byLook(body), guarded),
});

const unseen = ["\u200b", "\u200c", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\u034f", "\u{e0061}", "\u180e"];
const splitByUnseen = defineCause<string>({
  name: "command with invisible characters in it",
  surface: "thread",
  guard: "src/thread/command-line.ts: the word is matched as it was written",
  fixed: ["/bat\u200bon run", "/\u2060baton run", "\u202e/baton run"],
  draw(draw) {
    const at = draw.whole(0, 5);
    const word = "/baton";
    return `${word.slice(0, at)}${draw.one(unseen)}${draw.flip() ? draw.one(unseen) : ""}${word.slice(at)} ${draw.one(orders)}`;
  },
  attack: (body, guarded) =>
    obeyed(guarded ? body : [...body].filter((character) => !unseen.includes(character)).join(""), guarded),
});

interface Edited {
  event: "issue_comment" | "issues";
  action: string;
  body: string;
}
const edited = defineCause<Edited>({
  name: "comment that becomes a command after the fact",
  surface: "webhook",
  guard: "src/intake/events.ts: only `created` and `opened` are carried out",
  fixed: [
    { event: "issue_comment", action: "edited", body: "/baton run" },
    { event: "issues", action: "edited", body: "/baton run" },
  ],
  draw: (draw) => ({
    ...draw.one<Pick<Edited, "event" | "action">>([
      ...["edited", "deleted", "pinned", "unpinned", "CREATED", "created ", ""].map((action) => ({
        event: "issue_comment" as const,
        action,
      })),
      ...["edited", "transferred", "reopened", "labeled", "assigned", "unlocked", "pinned"].map((action) => ({
        event: "issues" as const,
        action,
      })),
    ]),
    body: `/baton ${draw.one(orders)}`,
  }),
  attack({ event, action, body }, guarded) {
    const user = { id: 1, login: "alice", type: "User" };
    const taken = toThreadEvent(event, {
      // Without the guard every action is as good as the first.
      action: guarded ? action : event === "issues" ? "opened" : "created",
      installation: { id: 3 },
      repository: { id: 7, name: "shop", default_branch: "main", owner: { login: "acme" } },
      issue: { number: 12, body, user },
      comment: { id: 99, body, user },
      sender: { id: 1 },
    });
    return taken.kind === "comment" ? `${event}.${action} is carried out` : null;
  },
});

interface Bot {
  id: number;
  type: string;
  listed: number[];
  command: string;
}
const ownUserId = 51;
const bots = defineCause<Bot>({
  name: "command by a bot, or by Baton itself",
  surface: "thread",
  guard: "src/policy/rules/listed-bots.ts, own-app.ts: by id; bots only where they are listed",
  fixed: [
    { id: ownUserId, type: "Bot", listed: [], command: "run" },
    { id: ownUserId, type: "Bot", listed: [ownUserId], command: "run" },
    { id: 9, type: "Bot", listed: [], command: "run" },
  ],
  draw: (draw) => ({
    id: draw.one([ownUserId, draw.whole(100, 9_999)]),
    type: draw.one(["Bot", "Mannequin", "Organization", "user", "", "App"]),
    listed: draw.one([[], [ownUserId], [draw.whole(10_000, 20_000)]]),
    command: draw.one(["run", "approve", "cancel", "status", "help"]),
  }),
  attack({ id, type, listed, command }, guarded) {
    const facts = {
      command,
      // As the door reads it: everything but `User` is a bot.
      actor: {
        id,
        login: "helper[bot]",
        kind: type === "User" ? ("user" as const) : ("bot" as const),
        permission: "admin" as const,
      },
      ownUserId,
      needs: "run" as const,
      headIsFork: false,
      worksOnHead: true,
      settings: { ...defaultSettings, commands: { ...defaultSettings.commands, bots: listed } },
    };
    const without = ["people-only", "not-itself"];
    const verdict = guarded
      ? decideCommand(facts)
      : judge({
          name: "command",
          rules: policyRules.command.filter(({ name }) => !without.includes(name)),
          facts,
          allowed: "",
        });
    return verdict.status === "passed" ? "the bot's command is carried out" : null;
  },
});

const prototypeNames = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", "isPrototypeOf"];
/** The guard off: what every object has is among a grammar's own names. */
function withInherited(grammar: CommandGrammar): CommandGrammar {
  const anything = { schema: z.string() } as unknown as CommandGrammar["options"][string];
  const inherited = prototypeNames.filter((name) => name !== "__proto__").map((name) => [name, anything]);
  return { ...grammar, options: { ...grammar.options, ...Object.fromEntries(inherited) } };
}

const prototypeOptions = defineCause<string>({
  name: "options and words named like parts of every object",
  surface: "thread",
  guard: "src/thread/parse-command.ts: names are looked up among the grammar's own",
  fixed: ["/baton run --constructor x", "/baton constructor", "/baton run --__proto__ x"],
  draw(draw) {
    const name = draw.one([...prototypeNames, "__defineGetter__", "propertyIsEnumerable", "toLocaleString"]);
    const command = draw.one(["run", "status", "budget", "race", "retry", "help"]);
    return draw.one([
      `/baton ${command} --${name} ${draw.word()}`,
      `/baton ${command} --${name}=${draw.word()}`,
      `/baton ${name}`,
      `/baton ${name} --${draw.word()} ${draw.word()}`,
      `/baton help ${name}`,
      `/baton ${command} --__proto__.${draw.word()}=1`,
    ]);
  },
  attack(body, guarded) {
    const before = Object.keys(Object.prototype).length;
    const parsed = parseCommand(body, guarded ? grammars : grammars.map(withInherited));
    if (Object.keys(Object.prototype).length !== before) return "every object has a new part";
    // `help` answers a word that it does not know in its own way.
    if (parsed.kind === "command" && parsed.name !== "help") {
      const foreign = Object.keys(parsed.options).filter((name) => prototypeNames.includes(name));
      if (foreign.length > 0 || Object.getPrototypeOf(parsed.options) !== Object.prototype)
        return `option ${foreign.join(", ")}`;
      if (/--_?_?[A-Za-z]/.test(body) && parsed.text === "") return "an option was dropped in silence";
    }
    return null;
  },
});

export const commandCauses: readonly Cause[] = [
  inCode,
  inQuote,
  inHtml,
  inBlock,
  inLink,
  inMail,
  homoglyph,
  splitByUnseen,
  edited,
  bots,
  prototypeOptions,
];
