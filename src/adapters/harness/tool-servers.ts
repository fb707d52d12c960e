/**
 * Servers of the Model Context Protocol in the forms of the CLIs.
 *
 * Every server that an agent starts carries the attempt's marker, so that it does not outlive the attempt (harness.H3).
 * The marker is explicit because some CLIs give servers an environment of their own.
 */
import type { HarnessRequest, ToolServer } from "../../ports/harness.ts";

type Asking = Pick<HarnessRequest, "toolServers" | "attemptMarker">;

export interface LocalServer {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string>;
}

interface Forms<T> {
  local(server: LocalServer): T;
  remote(server: { name: string; url: string }): T;
}

/** Each server in the form that a CLI expects, by its name. */
export function toolServers<T>(request: Asking, forms: Forms<T>): Record<string, T> {
  return Object.fromEntries(
    (request.toolServers ?? []).map((server) => [
      server.name,
      "url" in server ? forms.remote(server) : forms.local(localServer(server, request)),
    ]),
  );
}

function localServer(server: Extract<ToolServer, { command: unknown }>, { attemptMarker }: Asking): LocalServer {
  const [command = "", ...args] = server.command;
  return { name: server.name, command, args, env: { ...server.variables, BATON_ATTEMPT: attemptMarker } };
}
