/** The surroundings of a fleet's Batons: GitHub with four lanes, whose every request is an instant, and the model's service. */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Stage, setStage } from "../../../packages/local-github/demo/world.ts";
import { Draw } from "../draw.ts";
import type { LaneRepository } from "./people.ts";
import type { Aim } from "./plan.ts";
import { ModelService } from "./service.ts";

const agentPath = fileURLToPath(new URL("agent.mjs", import.meta.url));
/** GitHub needs this long for a write. */
const holdMs = { min: 10, max: 30 };

const config = (merge: string): string =>
  `version: 1\nharness: { default: claude-code }\nmerge: ${merge}\napprovals: { reviewers: [bob] }\nbudget: { runUsd: 20, maxUsd: 50 }\n`;
const ci = { name: "test", command: ["true"], workflow: "ci.yml" };
/** Two runs share a repository. Merged runs each have their own, because every merge moves the base of the others. */
export const lanes: readonly LaneRepository[] = [
  { name: "acme/store", mustMerge: false },
  { name: "acme/store", mustMerge: false },
  { name: "acme/stock", mustMerge: true },
  { name: "acme/depot", mustMerge: true },
];

export interface Scene {
  stage: Stage;
  service: ModelService;
  /** Writes to GitHub that are under way. */
  writes: ReadonlySet<object>;
}

export async function setScene(seed: number, databaseUrl: string | null, instant: (aim: Aim) => void): Promise<Scene> {
  const draw = new Draw(seed, "delays");
  const writes = new Set<object>();
  const service = await ModelService.start(draw, () => instant("an agent"));
  const asked = new Map<string, object[]>();
  const stage = await setStage({
    ci: false,
    ...(databaseUrl === null ? {} : { databaseUrl: databaseUrl }),
    environment: {
      ANTHROPIC_API_KEY: "sk-ant-of-a-proof",
      ANTHROPIC_BASE_URL: service.url,
      BATON_CLAUDE_BINARY: agentPath,
      // The proof is about deaths, not about sandbox probes at each of 200 starts.
      BATON_SANDBOX: "off",
    },
    github: {
      limits: { requestsPerHourMax: 1_000_000 },
      onRequest: ({ method, path }) => {
        if (path.endsWith("/git-receive-pack")) {
          instant("a push");
          return undefined;
        }
        if (method === "GET" || path.endsWith("/access_tokens") || path.includes("/git-")) return undefined;
        const write = {};
        writes.add(write);
        asked.set(`${method} ${path}`, [...(asked.get(`${method} ${path}`) ?? []), write]);
        instant("a write asked");
        return delay(draw.whole(holdMs.min, holdMs.max));
      },
      onExchange: (exchange) => {
        if (exchange.kind !== "api") return;
        const name = `${exchange.request.method} ${exchange.request.path}`;
        const write = asked.get(name)?.shift();
        // The answer is not sent yet, so a Baton that dies now never learns of it.
        const isComment = exchange.request.method === "POST" && /\/issues\/\d+\/comments$/.test(exchange.request.path);
        instant(write === undefined ? "anything" : isComment ? "a comment done" : "a write done");
        if (write !== undefined) writes.delete(write);
      },
    },
  });
  try {
    for (const { name: fullName, mustMerge } of lanes.slice(1)) {
      const name = fullName.slice("acme/".length);
      const files = { "README.md": `# ${name}\n`, "baton.yaml": config(mustMerge ? "auto" : "manual") };
      await stage.github.createRepository({ owner: "acme", name, private: false, files, ci });
      stage.github.setPermission({ repository: fullName, login: "alice", permission: "write" });
      stage.github.setPermission({ repository: fullName, login: "bob", permission: "maintain" });
    }
    return { stage, service, writes };
  } catch (thrown) {
    await service.close();
    await stage.close();
    throw thrown;
  }
}
