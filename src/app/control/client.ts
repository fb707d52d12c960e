/** Asks a running Baton over the socket in its data directory. */
import { request } from "node:http";
import { BatonError, type ErrorData, fromData } from "../../core/errors.ts";
import { type About, aboutSchema, controlAddress, controlPath, type Operator, remoteOperator } from "./protocol.ts";

export interface RunningBaton {
  about: About;
  operator: Operator;
  /** Asks it to stop. Resolves after the request. */
  stop(): Promise<void>;
}

/** A limit only for a Baton that hangs. A long list takes time, because Baton folds it run by run. */
const answerMs = 120_000;

/** null: no Baton runs on this data directory. */
export async function runningBaton(dataDir: string): Promise<RunningBaton | null> {
  const path = controlPath(dataDir);
  const ask = async (name: string, given: readonly unknown[]): Promise<unknown> => {
    const { address, release } = controlAddress(path);
    try {
      return await call(address, name, given);
    } finally {
      release();
    }
  };
  let about: unknown;
  try {
    about = await ask("about", []);
  } catch (thrown) {
    if (isGone(thrown)) return null;
    if ((thrown as NodeJS.ErrnoException).code === "EACCES")
      throw new BatonError(
        "BATON_POLICY_DENIED",
        `Baton's control socket ${path} belongs to another user. Run this command as Baton's user.`,
        { cause: thrown },
      );
    throw thrown;
  }
  return {
    about: aboutSchema.parse(about),
    operator: remoteOperator(ask),
    async stop() {
      // It may close the connection before the client reads the answer.
      await ask("stop", []).catch((thrown: unknown) => {
        if (!isGone(thrown)) throw thrown;
      });
    },
  };
}

/** Nobody listens there, or the listener is stopping. */
function isGone(thrown: unknown): boolean {
  const { code = "" } = thrown as NodeJS.ErrnoException;
  return ["ENOENT", "ECONNREFUSED", "ECONNRESET", "ENOTDIR", "EPIPE"].includes(code);
}

async function call(socketPath: string, operation: string, given: readonly unknown[]): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath, path: `/${operation}`, method: "POST", timeout: answerMs }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      answer.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error(`Baton did not answer within ${answerMs / 1_000} s`)));
    asked.on("error", reject);
    asked.end(JSON.stringify(given));
  });
  const answer = JSON.parse(text) as { value: unknown } | { error: ErrorData };
  if ("error" in answer) throw fromData(answer.error);
  return answer.value;
}
