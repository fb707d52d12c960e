/** Gemini: `POST /v1beta/models/<model>:streamGenerateContent` and `:generateContent`. */
import { type Answer, type ModelRequest, toolCall, usageOf, type Wire } from "./wire.ts";

type Part = { text?: string; functionResponse?: { response?: unknown }; [key: string]: unknown };
type Content = { role?: string; parts?: Part[] };

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  return ((content as Content | undefined)?.parts ?? []).map(({ text }) => text ?? "").join("\n");
};

export const geminiGenerateContent: Wire = {
  name: "gemini-generate-content",
  matches: (method, path) => method === "POST" && /\/models\/[^/]+:(?:streamG|g)enerateContent$/.test(path),
  read(body, path) {
    const contents = (body["contents"] as Content[] | undefined) ?? [];
    const fromUser = contents.filter(({ role }) => role !== "model");
    const declared = (body["tools"] as { functionDeclarations?: { name: string }[] }[] | undefined) ?? [];
    return {
      model: /\/models\/([^/:]+):/.exec(path)?.[1] ?? "",
      system: textOf(body["systemInstruction"]),
      user: fromUser.map(textOf).filter((text) => text !== ""),
      toolResults: fromUser.flatMap(({ parts }) =>
        (parts ?? []).flatMap(({ functionResponse }) =>
          functionResponse === undefined ? [] : [JSON.stringify(functionResponse.response)],
        ),
      ),
      tools: declared.flatMap(({ functionDeclarations }) => (functionDeclarations ?? []).map(({ name }) => name)),
      streaming: path.endsWith(":streamGenerateContent"),
    };
  },
  events(answer, request) {
    const parts = partsOf(answer, request);
    // Words come in pieces. The last piece has the end and the count.
    const pieces = parts.flatMap((part) => (part.text === undefined ? [part] : thirds(part.text)));
    return [
      ...pieces.map((part) => ({ data: pieceOf([part], answer, request, false) })),
      { data: pieceOf([], answer, request, true) },
    ];
  },
  whole: (answer, request) => pieceOf(partsOf(answer, request), answer, request, true),
  error(status, message) {
    const names: Record<number, string> = { 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL" };
    return { error: { code: status, message, status: names[status] ?? "INVALID_ARGUMENT" } };
  },
};

const thirds = (text: string): Part[] => {
  const size = Math.max(1, Math.ceil(text.length / 3));
  return [0, 1, 2]
    .map((part) => ({ text: text.slice(part * size, (part + 1) * size) }))
    .filter(({ text }) => text !== "");
};

function partsOf(answer: Answer, request: ModelRequest): Part[] {
  // A held-back answer has no words.
  if (answer.refusal === true) return [];
  return [
    ...(answer.text === undefined ? [] : [{ text: answer.text }]),
    ...(answer.deeds ?? []).map((deed) => {
      const { name, input } = toolCall(deed, request.tools);
      return { functionCall: { name, args: input } };
    }),
  ];
}

function pieceOf(parts: Part[], answer: Answer, request: ModelRequest, last: boolean): object {
  const used = usageOf(answer);
  // This wire counts cached tokens in the prompt, and has no cache writes.
  const prompt = used.input + used.cacheRead + used.cacheWrite;
  return {
    candidates: [
      {
        content: { role: "model", parts },
        index: 0,
        ...(last ? { finishReason: answer.refusal === true ? "SAFETY" : "STOP" } : {}),
      },
    ],
    modelVersion: request.model,
    ...(last
      ? {
          usageMetadata: {
            promptTokenCount: prompt,
            cachedContentTokenCount: used.cacheRead,
            candidatesTokenCount: used.output,
            totalTokenCount: prompt + used.output,
          },
        }
      : {}),
  };
}
