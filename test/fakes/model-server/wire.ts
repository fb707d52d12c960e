/** What a wire format must do for the scripted model server, and what a script may say. One file a wire. */
import type { IncomingMessage } from "node:http";
import type { Tokens } from "../../../src/core/vocabulary.ts";

/** What the model does with the CLI's own tools; each wire and CLI has its own names for them. */
export type Deed =
  | { write: string; content: string }
  | { read: string }
  | { run: string }
  /** A tool of a server of the Model Context Protocol, by the end of its name: each CLI puts the server before it in its own way. */
  | { use: string; input: Record<string, unknown> };

export interface Answer {
  text?: string;
  deeds?: Deed[];
  usage?: Partial<Tokens>;
  /** The model declines: `text` is what it says of it. */
  refusal?: true;
}

export type Turn = (
  | Answer
  /** An error of the service. */
  | { status: number; message?: string; headers?: Record<string, string> }
  /** The request is taken and never answered. */
  | { hang: true }
  /** The answer begins and its connection is cut. */
  | { drop: true; text?: string }
) & {
  /** Also the answer to every later request. */
  forever?: true;
};

/** A request as all wires have it. */
export interface ModelRequest {
  wire: string;
  path: string;
  method: string;
  headers: IncomingMessage["headers"];
  model: string;
  system: string;
  /** Text of everything that the user's side said, oldest first. */
  user: string[];
  /** What tools answered, oldest first. */
  toolResults: string[];
  /** Names of the declared tools; none: a side request of the CLI (a title, a quota probe), which takes no turn of the script. */
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

/** The call by which this CLI's model would do it; a CLI without such a tool does it through its shell. */
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
  // A script that asks for what the CLI does not offer shows as the CLI's own "no such tool".
  return found === undefined
    ? { name: "Bash", input: { command: deed.run } }
    : { name: found[0], input: found[1](deed) };
}
