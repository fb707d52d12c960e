/**
 * Comment text to command.
 *
 * C1 Only a line of the author's own text at top level counts: never code, quotes, HTML, lists or tables.
 * C2 A typo is answered with a suggestion and never executed.
 * C3 Commands are ASCII: a look-alike letter is no command.
 * C4 The first `/baton` line is the command; lines after it are its text, where it takes any.
 */
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { nearest } from "../core/nearest.ts";
import type { CommandGrammar } from "./grammar.ts";

export type ParsedCommand =
  | { kind: "none" }
  | { kind: "command"; name: string; words: string[]; options: Record<string, string | number>; text: string }
  | { kind: "unknown"; word: string; suggestion: string | null }
  | { kind: "invalid"; name: string; problem: string };

const commandLine = /^\/baton(?=[ \t]|$)[ \t]*(.*)$/;
const charactersMax = 65_536;

export function parseCommand(body: string, grammars: readonly CommandGrammar[]): ParsedCommand {
  const text = body.slice(0, charactersMax).replaceAll("\r\n", "\n");
  if (!text.includes("/baton")) return { kind: "none" };
  const found = findLine(text);
  if (found === null) return { kind: "none" };
  const words = splitWords(found.line);
  const word = words[0];
  if (word === undefined) return { kind: "unknown", word: "", suggestion: "help" };
  const grammar = grammars.find(({ name, aliases }) => name === word.text || aliases.includes(word.text));
  if (grammar === undefined) {
    return { kind: "unknown", word: word.text.slice(0, 40), suggestion: nearest(word.text.toLowerCase(), grammars.flatMap(({ name, aliases }) => [name, ...aliases])) };
  }
  return parseArguments(grammar, words.slice(1), found);
}

interface Line {
  line: string;
  after: string;
}

/** The first command line that stands at the start of a line in a top-level paragraph. */
function findLine(text: string): Line | null {
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  for (const node of tree.children) {
    if (node.type !== "paragraph" || node.position === undefined) continue;
    const start = node.position.start.offset ?? 0;
    const end = node.position.end.offset ?? text.length;
    // A paragraph that a mail program or a quote continues lazily is not the author's: every line must be its own.
    let offset = start;
    for (const line of text.slice(start, end).split("\n")) {
      const match = commandLine.exec(line);
      const inside = node.children.find(({ position }) => position !== undefined && (position.start.offset ?? 0) <= offset && (position.end.offset ?? 0) > offset);
      // Code, HTML, emphasis or a link that spans the line's start is not plain text.
      if (match !== null && inside?.type === "text") return { line: match[1] ?? "", after: text.slice(offset + line.length).trim() };
      offset += line.length + 1;
    }
  }
  return null;
}

interface Word {
  text: string;
  start: number;
  quoted: boolean;
}

function splitWords(line: string): Word[] {
  const words: Word[] = [];
  const pattern = /"([^"]*)"|(\S+)/g;
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    words.push({ text: match[1] ?? match[2] ?? "", start: match.index, quoted: match[1] !== undefined });
  }
  return words;
}

function parseArguments(grammar: CommandGrammar, words: Word[], { line, after }: Line): ParsedCommand {
  const options: Record<string, string | number> = {};
  const plain: string[] = [];
  let rest = "";
  const invalid = (problem: string): ParsedCommand => ({ kind: "invalid", name: grammar.name, problem });
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as Word;
    if (word.quoted || !word.text.startsWith("--")) {
      const isWord = plain.length < grammar.words.max;
      if (isWord) {
        plain.push(word.text);
        continue;
      }
      if (!grammar.text) return invalid(`does not take "${word.text.slice(0, 60)}"`);
      // From the first word that is neither option nor argument on, it is text, options after it included as text.
      rest = line.slice(word.start);
      break;
    }
    const [flag = "", inline] = word.text.slice(2).split(/=(.*)/s);
    const option = grammar.options[flag];
    if (option === undefined) {
      const known = Object.keys(grammar.options);
      const meant = nearest(flag, known);
      return invalid(`does not know \`--${flag.slice(0, 40)}\`${meant === null ? (known.length === 0 ? "; it takes no options" : `; it takes ${known.map((key) => `\`--${key}\``).join(", ")}`) : `; did you mean \`--${meant}\`?`}`);
    }
    const value = inline ?? words[++index]?.text;
    if (value === undefined || value === "") return invalid(`needs a value after \`--${flag}\``);
    const parsed = option.schema.safeParse(value);
    if (!parsed.success) return invalid(`does not take \`--${flag} ${value.slice(0, 60)}\`: ${parsed.error.issues[0]?.message ?? "not valid"}`);
    options[flag] = parsed.data;
  }
  if (plain.length < grammar.words.min) return invalid("needs one more word");
  const text = grammar.text ? [rest, after].filter((part) => part !== "").join("\n\n") : "";
  return { kind: "command", name: grammar.name, words: plain, options, text };
}
