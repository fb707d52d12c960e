/**
 * Turns a comment's text into a command.
 *
 * C1 Only a line of the author's own text at top level counts (`command-line.ts`).
 * C2 A typo gets a suggestion, and Baton never executes it. Baton never drops an option in silence.
 * C3 Commands are ASCII: a word with a look-alike letter is not a command. Automatic changes by keyboards do not matter,
 *    such as a capital at the start of a line or a hard space.
 * C4 The first `/baton` line is the command. The lines after it are its text, if it accepts text.
 */
import { BatonError, hasCode } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { withLineFeeds } from "../text/markdown.ts";
import { type CommandLine, findCommandLine } from "./command-line.ts";
import type { CommandGrammar } from "./grammar.ts";

export type ParsedCommand =
  | { kind: "none" }
  | {
      kind: "command";
      name: string;
      positional: (string | number)[];
      options: Record<string, string | number>;
      text: string;
    }
  /** `line`: the text after `/baton`. */
  | { kind: "unknown"; word: string; suggestion: string | null; line: string }
  /** `problem` completes "`/baton name` …". It quotes the author, so callers neutralise it before they show it. */
  | { kind: "invalid"; name: string; problem: string; usage: string; line: string };

const charactersMax = 65_536;
const ascii = /^[\x21-\x7e]+$/;

/** `mentions`: names that call Baton here, in lower case. `@name run` reads as `/baton run`. */
export function parseCommand(
  body: string,
  vocabulary: readonly CommandGrammar[],
  mentions: readonly string[] = [],
): ParsedCommand {
  const found = findCommandLine(withLineFeeds(body.slice(0, charactersMax)), mentions);
  if (found === null) return { kind: "none" };
  const words = splitWords(found.line);
  // `/baton` alone asks for the list of commands.
  const word = words[0]?.text ?? "help";
  const grammar = vocabulary.find(({ name, aliases }) => [name, ...aliases].includes(word.toLowerCase()));
  if (grammar !== undefined) return parseArguments(grammar, words.slice(1), found);
  const known = vocabulary.flatMap(({ name, aliases }) => [name, ...aliases]);
  return {
    kind: "unknown",
    word: word.slice(0, 40),
    suggestion: nearest(word.slice(0, 40), known),
    line: whole(found),
  };
}

function whole({ line, after }: CommandLine): string {
  return [line, after].filter((part) => part !== "").join("\n\n");
}

const mention = /^ {0,3}@([A-Za-z0-9][A-Za-z0-9-]{0,99})[ \t\u00a0]+([A-Za-z]+)/gm;

/** The name that is called at the start of a line, and the word after it. This is cheap, and does not prove a command. */
export function calledNames(body: string): { name: string; word: string }[] {
  return [...body.slice(0, charactersMax).matchAll(mention)].map(([, name = "", word = ""]) => ({
    name: name.toLowerCase(),
    word: word.toLowerCase(),
  }));
}

/** True: nobody calls Baton, by whatever name it has here. */
export function isTalk(body: string, vocabulary: readonly CommandGrammar[]): boolean {
  return parseCommand(body, vocabulary).kind === "none" && calledNames(body).length === 0;
}

/** False: certainly not a command, by any name that calls Baton here. */
export function mayBeCommand(body: string, vocabulary: readonly CommandGrammar[]): boolean {
  const words = new Set(vocabulary.flatMap(({ name, aliases }) => [name, ...aliases]));
  const called = calledNames(body).filter(({ word }) => words.has(word));
  return (
    parseCommand(
      body,
      vocabulary,
      called.map(({ name }) => name),
    ).kind !== "none"
  );
}

interface Word {
  text: string;
  start: number;
  end: number;
  quoted: boolean;
}

const wordPattern = /(--[^\s="']+=)?(?:"([^"]*)"|'([^']*)')(?=\s|$)|\S+/g;

/** A quoted string is one word, and so is an option with its quoted value. */
function splitWords(line: string): Word[] {
  return [...line.matchAll(wordPattern)].map((match) => {
    const [whole, flag, double, single] = match;
    const inner = double ?? single;
    return {
      text: inner === undefined ? whole : `${flag ?? ""}${inner}`,
      start: match.index,
      end: match.index + whole.length,
      quoted: inner !== undefined && flag === undefined,
    };
  });
}

/** `--name`, `--name=value`, and the sign that a keyboard makes of two hyphens. */
const flagPattern = /^(--|[-\u2010-\u2015\u2212]{1,2})([A-Za-z][A-Za-z0-9_-]*)(?:=(.*))?$/s;

const invalid = (problem: string): BatonError => new BatonError("BATON_COMMAND_INVALID", problem);

function parseArguments(grammar: CommandGrammar, words: Word[], found: CommandLine): ParsedCommand {
  try {
    return readArguments(grammar, words, found.line, found.after);
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_COMMAND_INVALID")) throw thrown;
    return {
      kind: "invalid",
      name: grammar.name,
      problem: (thrown as BatonError).message,
      usage: grammar.usage,
      line: whole(found),
    };
  }
}

function readArguments(grammar: CommandGrammar, words: Word[], line: string, after: string): ParsedCommand {
  const options = new Map<string, string | number>();
  const positional: (string | number)[] = [];
  /** Places of the free text in the line: everything except the options. */
  const pieces: { start: number; end: number }[] = [];
  let flagsEnded = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as Word;
    if (!flagsEnded && !word.quoted) {
      if (word.text === "--") {
        flagsEnded = true;
        continue;
      }
      const flag = readFlag(grammar, word.text, pieces.length > 0);
      if (flag !== null) {
        const value = flag.value ?? valueAfter(words[++index]);
        setOption(grammar, options, flag.name, value);
        continue;
      }
    }
    const many = grammar.positional.at(-1)?.atLeast !== undefined && !flagsEnded;
    if (pieces.length === 0 && (many || positional.length < grammar.positional.length)) {
      positional.push(readPositional(grammar, Math.min(positional.length, grammar.positional.length - 1), word.text));
    } else if (grammar.text === "none") {
      throw invalid(`Unknown argument \`${word.text.slice(0, 60)}\``);
    } else {
      const before = pieces.at(-1);
      // Adjacent words stay as they were written.
      const adjacent = before !== undefined && line.slice(before.end, word.start).trim() === "";
      if (adjacent) before.end = word.end;
      else pieces.push({ start: word.start, end: word.end });
    }
  }
  const missing = grammar.positional[positional.length];
  if (missing?.required === true) throw invalid(`The argument \`${missing.name}\` is missing`);
  const last = grammar.positional.at(-1);
  const taken = positional.length - (grammar.positional.length - 1);
  if (last?.atLeast !== undefined && taken < last.atLeast)
    throw invalid(`It needs at least ${last.atLeast} of \`${last.name}\`, and you gave ${taken}`);
  const rest = pieces.map(({ start, end }) => line.slice(start, end)).join(" ");
  const text = grammar.text === "none" ? "" : [rest, after].filter((part) => part !== "").join("\n\n");
  if (grammar.text === "required" && text === "") throw invalid("Text is missing after the command");
  return { kind: "command", name: grammar.name, positional, options: Object.fromEntries(options), text };
}

/** null: the word is not an option, so it is text. */
function readFlag(
  grammar: CommandGrammar,
  word: string,
  inText: boolean,
): { name: string; value: string | undefined } | null {
  const match = flagPattern.exec(word);
  if (match === null) return null;
  const [, dashes, name = "", value] = match;
  const known = Object.keys(grammar.options);
  const isKnown = known.includes(name);
  if (isKnown && dashes === "--") return { name, value };
  const meant = isKnown ? name : nearest(name, known);
  if (meant !== null)
    throw invalid(`Unknown option \`${word.split("=")[0]?.slice(0, 40)}\`. Did you mean \`--${meant}\`?`);
  if (dashes !== "--" || (inText && grammar.text !== "none")) return null;
  const taken = known.length === 0 ? "It has no options" : `Options: ${known.map((key) => `\`--${key}\``).join(", ")}`;
  const hint = grammar.text === "none" ? "" : ". Write `--` before text that begins like an option";
  throw invalid(`Unknown option \`--${name.slice(0, 40)}\`. ${taken}${hint}`);
}

function valueAfter(word: Word | undefined): string {
  return word === undefined || (!word.quoted && word.text.startsWith("--")) ? "" : word.text;
}

function setOption(grammar: CommandGrammar, options: Map<string, string | number>, name: string, value: string): void {
  if (value === "") throw invalid(`\`--${name}\` needs a value`);
  if (options.has(name)) throw invalid(`\`--${name}\` is given twice`);
  const parsed = grammar.options[name]?.schema.safeParse(value);
  if (parsed?.success !== true) {
    throw invalid(
      `\`--${name} ${value.slice(0, 60)}\` is not valid: ${parsed?.error.issues[0]?.message ?? "unknown value"}`,
    );
  }
  options.set(name, parsed.data);
}

function readPositional(grammar: CommandGrammar, index: number, value: string): string | number {
  const parsed = ascii.test(value) ? grammar.positional[index]?.schema.safeParse(value) : undefined;
  if (parsed?.success === true) return parsed.data;
  throw invalid(
    `\`${value.slice(0, 60)}\` is not valid here: ${parsed?.error?.issues[0]?.message ?? "expected plain ASCII"}`,
  );
}
