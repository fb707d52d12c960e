/**
 * An open-loop sender in its own process: `client.ts <url> <secret> <per second> <seconds>`. It reports its results to its
 * parent.
 *
 * Each delivery has its scheduled time. The sender keeps it even if earlier deliveries have no answer yet. The time to
 * answer counts from the schedule. So a server that stalls pays for every later delivery (no coordinated omission).
 */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { parcels } from "./deliveries.ts";

export interface LoadResult {
  /**
   * Every sent delivery, by GUID: milliseconds from its scheduled time to the end of the answer, and the status. 0: no
   * answer.
   */
  deliveries: { guid: string; ms: number; status: number }[];
  /** The largest delay of the sender itself. Above some milliseconds, the figure measures the machine, not the server. */
  lateMsMax: number;
}

const [url = "", secret = "", perSecond = "", seconds = ""] = process.argv.slice(2);
const count = Number(perSecond) * Number(seconds);
const intervalMs = 1_000 / Number(perSecond);
const timeoutMs = 30_000;
const warmUp = 20;

const agent = new Agent({ keepAlive: true });
const content = parcels(secret);

// Not counted: connections, and code that runs for the first time. The server still keeps these deliveries.
for (let index = 0; index < warmUp; index += 1) await deliver(index, performance.now());

const result: LoadResult = { deliveries: [], lateMsMax: 0 };
const begunAt = performance.now() + 100;
const answers: Promise<void>[] = [];
for (let index = 0; index < count; index += 1) {
  const at = begunAt + index * intervalMs;
  const early = at - performance.now();
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  result.lateMsMax = Math.max(result.lateMsMax, performance.now() - at);
  answers.push(deliver(index, at).then((seen) => void result.deliveries.push(seen)));
}
await Promise.all(answers);
agent.destroy();
process.send?.(result, () => process.disconnect());

function deliver(index: number, at: number): Promise<LoadResult["deliveries"][number]> {
  const parcel = content[index % content.length];
  if (parcel === undefined) throw new Error("There are no example payloads.");
  const guid = randomUUID();
  return new Promise((resolve) => {
    const end = (status: number): void => resolve({ guid, ms: performance.now() - at, status });
    const outgoing = request(url, {
      method: "POST",
      agent,
      timeout: timeoutMs,
      headers: {
        "content-type": "application/json",
        "content-length": parcel.body.length,
        "x-github-event": parcel.event,
        "x-github-delivery": guid,
        "x-github-hook-id": "1",
        "x-hub-signature-256": parcel.signature,
      },
    });
    outgoing.on("response", (response) => {
      response.resume();
      response.on("end", () => end(response.statusCode ?? 0));
      response.on("error", () => end(0));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("No answer in time.")));
    outgoing.on("error", () => end(0));
    outgoing.end(parcel.body);
  });
}
