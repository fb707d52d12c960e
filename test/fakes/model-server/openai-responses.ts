/** OpenAI Responses: `POST /v1/responses`, streamed or not. */
import { randomUUID } from "node:crypto";
import { type Answer, type ModelRequest, toolCall, usageOf, type Wire } from "./wire.ts";

/** The CLI declares and calls the tools of one server within a namespace: `namespace/name` in scripts. */
type Tool = { name?: string; type: string; description?: string; tools?: Tool[] };
type Item = { type?: string; role?: string; content?: unknown; output?: unknown; tools?: Tool[] };

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as { text?: string }[]).map(({ text }) => text ?? "").join("\n");
};

export const openaiResponses: Wire = {
  name: "openai-responses",
  matches: (method, path) => method === "POST" && path.endsWith("/responses"),
  read(body) {
    const input: Item[] =
      typeof body["input"] === "string" ? [{ role: "user", content: body["input"] }] : itemsOf(body);
    const said = (...roles: string[]): string[] =>
      input.filter(({ role }) => role !== undefined && roles.includes(role)).map(({ content }) => textOf(content));
    return {
      model: body["model"] as string,
      system: [(body["instructions"] as string | undefined) ?? "", ...said("developer", "system")].join("\n"),
      user: said("user"),
      toolResults: input
        .filter(({ type }) => type === "function_call_output" || type === "custom_tool_call_output")
        .map(({ output }) => (typeof output === "string" ? output : JSON.stringify(output))),
      tools: [
        ...((body["tools"] as Tool[] | undefined) ?? []).flatMap(({ name, type, tools }) =>
          type === "namespace" ? (tools ?? []).map((tool) => `${name}/${tool.name}`) : [name ?? type],
        ),
        ...additionalTools(body).flatMap((tool) => (isExec(tool) ? nestedTools(tool) : [tool.name ?? tool.type])),
      ],
      streaming: body["stream"] === true,
    };
  },
  events(answer, request) {
    const response = responseOf(answer, request);
    const created = { ...response, status: "in_progress", output: [], usage: null };
    return [
      { event: "response.created", data: { type: "response.created", response: created } },
      ...response.output.flatMap((item, index) => itemEvents(item, index)),
      { event: "response.completed", data: { type: "response.completed", response } },
    ];
  },
  whole: responseOf,
  error: (status, message) => ({
    error: { message, type: status === 429 ? "rate_limit_exceeded" : "error", code: null, param: null },
  }),
};

const itemsOf = (body: Record<string, unknown>): Item[] => (body["input"] as Item[] | undefined) ?? [];

/** For the models of its catalog, Codex declares tools in an item of the input, grouped by namespace. */
const additionalTools = (body: Record<string, unknown>): Tool[] =>
  itemsOf(body)
    .filter(({ type }) => type === "additional_tools")
    .flatMap(({ tools = [] }) => tools.flatMap((tool) => (tool.type === "namespace" ? (tool.tools ?? []) : [tool])));

/** Runs the model's JavaScript, which calls the other tools. Its description has a heading for each. */
const isExec = ({ type, name }: Tool): boolean => type === "custom" && name === "exec";
const nestedTools = ({ description = "" }: Tool): string[] =>
  [...description.matchAll(/^### `(\w+)`/gm)].map(([, name = ""]) => name);

/** The description may omit tools of servers. */
function execScript(name: string, input: Record<string, unknown>): string {
  return [
    `const name = (ALL_TOOLS.find((tool) => tool.name.endsWith(${JSON.stringify(name)})) ?? {}).name;`,
    `if (name === undefined) text(${JSON.stringify(`unknown tool: ${name}`)});`,
    `else { const said = await tools[name](${JSON.stringify(input)}); text(said.output ?? said); }`,
  ].join("\n");
}

type OutputItem = { id: string; type: string; [key: string]: unknown };

function responseOf(answer: Answer, request: ModelRequest) {
  const used = usageOf(answer);
  const part =
    answer.refusal === true
      ? { type: "refusal", refusal: answer.text ?? "No." }
      : { type: "output_text", text: answer.text ?? "", annotations: [] };
  const output: OutputItem[] = [
    ...(answer.text === undefined && answer.refusal !== true
      ? []
      : [{ id: `msg_${randomUUID()}`, type: "message", role: "assistant", status: "completed", content: [part] }]),
    ...(answer.deeds ?? []).map((deed) => {
      const { name, input } = toolCall(deed, request.tools);
      const id = randomUUID();
      if (additionalTools(request.body).some(isExec))
        return {
          id: `ctc_${id}`,
          type: "custom_tool_call",
          status: "completed",
          call_id: `call_${id}`,
          namespace: "functions",
          name: "exec",
          input: execScript(name, input),
        };
      const [own = "", namespace] = name.split("/").reverse();
      const call = {
        name: own,
        ...(namespace === undefined ? {} : { namespace }),
        arguments: JSON.stringify(input),
        call_id: `call_${id}`,
        status: "completed",
      };
      return { id: `fc_${id}`, type: "function_call", ...call };
    }),
  ];
  const input = used.input + used.cacheRead + used.cacheWrite;
  return {
    id: `resp_${randomUUID()}`,
    object: "response",
    created_at: 1_760_000_000,
    status: "completed",
    model: request.model,
    output,
    parallel_tool_calls: true,
    usage: {
      // This wire counts cached tokens in the input.
      input_tokens: input,
      input_tokens_details: { cached_tokens: used.cacheRead },
      output_tokens: used.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + used.output,
    },
  };
}

function itemEvents(item: OutputItem, index: number): { event: string; data: object }[] {
  const of = (type: string, more: object): { event: string; data: object } => ({
    event: type,
    data: { type, output_index: index, ...more },
  });
  const [part] = (item["content"] as { type: string; text?: string }[] | undefined) ?? [];
  const empty =
    item.type === "message"
      ? { ...item, status: "in_progress", content: [] }
      : { ...item, [item.type === "custom_tool_call" ? "input" : "arguments"]: "" };
  const delta =
    part?.type === "output_text"
      ? [of("response.output_text.delta", { item_id: item.id, content_index: 0, delta: part.text ?? "" })]
      : [];
  return [of("response.output_item.added", { item: empty }), ...delta, of("response.output_item.done", { item })];
}
