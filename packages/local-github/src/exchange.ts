/** One request with its answer, or one webhook. `onExchange` passes it to code that checks the shapes. */
export interface ApiExchange {
  kind: "api";
  request: {
    method: string;
    /** Without the `/api/v3` prefix and without the query. */
    path: string;
    query: Record<string, string>;
    headers: Record<string, string>;
    body: unknown;
  };
  response: { status: number; headers: Record<string, string>; body: unknown };
  /** The fault that shaped the answer: such an answer may break every rule. */
  fault: string | null;
}

export interface WebhookExchange {
  kind: "webhook";
  event: string;
  action: string | null;
  headers: Record<string, string>;
  payload: unknown;
  /** The status that the receiver answered. */
  status: number;
}

export type Exchange = ApiExchange | WebhookExchange;

export type ActorKind = "anonymous" | "user" | "app" | "installation" | "invalid";

export interface LogEntry {
  at: string;
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  status: number;
  actor: ActorKind;
  /** Login of the user or bot, slug of the App. */
  login: string | null;
  fault: string | null;
}
