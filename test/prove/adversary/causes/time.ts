/** Texts that keep a parser busy. The test measures processor time, so other programs do not count. */

import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { commands as grammars } from "../../../../src/commands/index.ts";
import { parseConfig } from "../../../../src/config/parse.ts";
import { neutralise } from "../../../../src/text/neutralise.ts";
import { createRedactor } from "../../../../src/text/redact.ts";
import { sanitise } from "../../../../src/text/sanitise.ts";
import { parseCommand } from "../../../../src/thread/parse-command.ts";
import { type Cause, defineCause } from "../cause.ts";
import { processorSeconds } from "../processor-time.ts";

const charactersMax = 60_000;
/** Generous for one text: a quadratic reader needs many times as long. */
const secondsMax = 4;

const pieces = [
  "> ",
  "[",
  "](",
  "*",
  "_",
  "`",
  "<!--",
  "<b>",
  "<details>",
  "&#",
  "@a",
  "- ",
  "\t",
  "![",
  "**a",
  "~~",
  "|",
  "\\",
  "<a href=",
  "]: ",
  "[^a]: ",
  "/baton ",
];
const redact = createRedactor({
  secrets: ["Kx7+Qm/92vBnLw=Tz0RpYd4sHcJ8aGe", "line-one-of-a-long-key\nline-two-of-a-long-key"],
});

const parsers = {
  command: (text: string) => parseCommand(`${text}\n\n/baton run`, grammars),
  sanitise,
  neutralise,
  redact,
  configuration: parseConfig,
} as const;
type Parser = keyof typeof parsers;

/** The same Markdown parser without the bounds of `markdown.ts`. */
const unbounded = { extensions: [gfm()], mdastExtensions: gfmFromMarkdown() };

interface Busy {
  parser: Parser;
  piece: string;
  between: string;
}

const busy = defineCause<Busy>({
  name: "text that keeps a parser busy",
  surface: "thread",
  guard: "src/text/markdown.ts: what is quadratic is bounded; redact.ts H6: linear for each value",
  fixed: [
    { parser: "sanitise", piece: "<!--", between: "" },
    { parser: "command", piece: "> ", between: "" },
    { parser: "neutralise", piece: "[", between: "" },
    { parser: "redact", piece: "Kx7+Qm/92vBnLw=Tz0RpYd4sHcJ8aG", between: "" },
    { parser: "configuration", piece: "[", between: "\n" },
  ],
  draw: (draw) => ({
    parser: draw.one(Object.keys(parsers) as Parser[]),
    piece: Array.from({ length: draw.whole(1, 3) }, () => draw.one(pieces)).join(""),
    between: draw.one(["", "", " ", "\n", "a"]),
  }),
  attack({ parser, piece, between }, guarded) {
    // Without the guard, a fast machine at rest needs less than a second. With it, a text needs some milliseconds.
    const most = guarded ? secondsMax : 0.2;
    const text = `${piece}${between}`.repeat(Math.floor(charactersMax / (piece.length + between.length)));
    const unlessGuarded = guarded ? 0 : Number.POSITIVE_INFINITY;
    const used = processorSeconds(
      () => (guarded ? parsers[parser](text) : fromMarkdown(text, unbounded)),
      most,
      unlessGuarded,
    );
    return used > most ? `${used.toFixed(1)} s of processor time` : null;
  },
});

export const timeCauses: readonly Cause[] = [busy];
