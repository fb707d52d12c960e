/** The interface of a wire format for the scripted model server, and the language of its scripts. One file a wire. */
import type { IncomingMessage } from "node:http";
import type { Tokens } from "../../../src/core/vocabulary.ts";

/** The model's actions with the CLI's own tools. Each wire and CLI has its own names for them. */
export type Deed =
  | { write: string; content: string }
  | { read: string }
  | { run: string }
  /** A Model Context Protocol tool, by the end of its name. Each CLI puts the server before it in its own way. */
  | { use: string; input: Record<string, unknown> };

export interface Answer {
  text?: string;
  deeds?: Deed[];
  usage?: Partial<Tokens>;
  /** The model declines. `text` is its explanation. */
  refusal?: true;
}

export type Turn = (
  | Answer
  /** An error of the service. */
  | { status: number; message?: string; headers?: Record<string, string> }
  /** The server accepts the request and never answers it. */
  | { hang: true }
  /** The answer begins, and then its connection is cut. */
  | { drop: true; text?: string }
) & {
  /** Also the answer to every later request. */
  forever?: true;
};

/** A request in the form that all wires share. */
export interface ModelRequest {
  wire: string;
  path: string;
  method: string;
  headers: IncomingMessage["headers"];
  model: string;
  system: string;
  /** All texts of the user's side, oldest first. */
  user: string[];
  /** Answers of tools, oldest first. */
  toolResults: string[];
  /** Names of the declared tools. Empty: a side request of the CLI (a title, a quota probe), which uses no turn of the script. */
  tools: string[];
  streaming: boolean;
  body: Record<string, unknown>;
}

export type ReadRequest = Pick<ModelRequest, "model" | "system" | "user" | "toolResults" | "tools" | "streaming">;

export interface Wire {
  name: string;
  matches(method: string, path: string): boolean;
  read(body: Record<string, unknown>, path: string): ReadRequest;
  /** The answer as events of a stream, in order. */
  events(answer: Answer, request: ModelRequest): { event?: string; data: object | string }[];
  /** The same without streaming. */
  whole(answer: Answer, request: ModelRequest): object;
  error(status: number, message: string): object;
}

const defaultUsage: Tokens = { input: 1_200, output: 85, cacheRead: 300, cacheWrite: 40 };

export function usageOf(answer: Answer): Tokens {
  return { ...defaultUsage, ...answer.usage };
}

export interface ToolCall {
  name: string;
  input: Record<string, unknown>;
}

type Build<T> = (deed: T) => Record<string, unknown>;

/** Tools of known CLIs that write a file, read one or run a command, best first. */
const writers: [string, Build<{ write: string; content: string }>][] = [
  ["Write", ({ write, content }) => ({ file_path: write, content })],
  ["write_file", ({ write, content }) => ({ file_path: write, content })],
  ["create", ({ write, content }) => ({ path: write, file_text: content })],
  ["write", ({ write, content }) => ({ path: write, filePath: write, content })],
];
const readers: [string, Build<{ read: string }>][] = [
  ["Read", ({ read }) => ({ file_path: read })],
  ["read_file", ({ read }) => ({ file_path: read })],
  ["view", ({ read }) => ({ path: read })],
  ["read", ({ read }) => ({ path: read, filePath: read })],
];
const runners: [string, Build<{ run: string }>][] = [
  ["Bash", ({ run }) => ({ command: run, description: "As scripted" })],
  ["exec_command", ({ run }) => ({ cmd: run })],
  ["shell_command", ({ run }) => ({ command: run })],
  ["shell", ({ run }) => ({ command: ["bash", "-lc", run] })],
  ["run_shell_command", ({ run }) => ({ command: run, description: "As scripted" })],
  ["bash", ({ run }) => ({ command: run, description: "As scripted" })],
];

/** The call by which this CLI's model would do it. A CLI without such a tool uses its shell. */
export function toolCall(deed: Deed, tools: readonly string[]): ToolCall {
  if ("write" in deed) {
    const found = writers.find(([name]) => tools.includes(name));
    if (found !== undefined) return { name: found[0], input: found[1](deed) };
    const encoded = Buffer.from(deed.content).toString("base64");
    return toolCall({ run: `printf %s ${encoded} | base64 -d > '${deed.write}'` }, tools);
  }
  if ("read" in deed) {
    const found = readers.find(([name]) => tools.includes(name));
    return found === undefined
      ? toolCall({ run: `cat '${deed.read}'` }, tools)
      : { name: found[0], input: found[1](deed) };
  }
  if ("use" in deed) {
    const name = tools.find((tool) => tool.endsWith(deed.use));
    return { name: name ?? deed.use, input: deed.input };
  }
  const found = runners.find(([name]) => tools.includes(name));
  // If a script names a tool that the CLI does not offer, the CLI's own "no such tool" shows it.
  return found === undefined
    ? { name: "Bash", input: { command: deed.run } }
    : { name: found[0], input: found[1](deed) };
}
