/** `baton harness doctor` asks GitHub about the App, over HTTP. */
import { expect, it } from "vitest";
import { createTestWorld, webhookSecret } from "../../packages/local-github/src/test-world.ts";
import { runCli } from "./program.ts";

async function doctor(environment: Record<string, string>): Promise<string> {
  let out = "";
  await runCli(["harness", "doctor", "command"], {
    environment: { BATON_SANDBOX: "off", BATON_HARNESS_COMMAND: '["true"]', ...environment },
    directory: process.cwd(),
    print: (text) => (out += `${text}\n`),
    note: (text) => (out += `${text}\n`),
  });
  return out;
}

it("names what the App and each installation lack, what is refused, and that there is no App", async () => {
  await using world = await createTestWorld({ grants: { contents: "write", issues: "write", metadata: "read" } });
  const environment = {
    APP_ID: String(world.app.id),
    PRIVATE_KEY: world.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    GITHUB_API_URL: world.github.apiUrl,
  };
  const incomplete = await doctor(environment);
  expect(incomplete).toContain("⚠️ App: Add what is missing on the App's page, Permissions & events");
  expect(incomplete).toMatch(/^ {2}missing at App \S+: .*pull_requests: write/m);
  expect(incomplete).toMatch(/^ {2}missing at installation \S+: .*pull_requests: write/m);
  expect(incomplete).not.toContain("issues: write");
  expect(await doctor({ ...environment, APP_ID: String(world.app.id + 1) })).toContain(
    "⚠️ App: GitHub refuses the App's credentials",
  );
  expect(await doctor({})).toContain("App: none is set up here (APP_ID, PRIVATE_KEY).");
});
