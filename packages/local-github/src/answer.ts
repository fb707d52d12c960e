/** Answers and refusals in GitHub's words. */
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Replaces `body`: raw bytes with their type. */
  raw?: { bytes: Buffer; type: string };
}

/** Thrown anywhere below a route. The server sends `answer`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly answer: Answer;

  constructor(status: number, message: string, more: { errors?: unknown[]; headers?: Record<string, string> } = {}) {
    super(message);
    const body = {
      message,
      ...(more.errors === undefined ? {} : { errors: more.errors }),
      documentation_url: "https://docs.github.com/rest",
      status: String(status),
    };
    this.answer = { status, body, ...(more.headers === undefined ? {} : { headers: more.headers }) };
  }
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent: Answer = { status: 204 };

export const notFound = (): Refusal => new Refusal(404, "Not Found");
export const badCredentials = (): Refusal => new Refusal(401, "Bad credentials");

export function invalid(resource: string, field: string, code: string, message?: string): Refusal {
  const error = { resource, field, code, ...(message === undefined ? {} : { message }) };
  return new Refusal(422, "Validation Failed", { errors: [error] });
}
