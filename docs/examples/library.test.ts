import { expect, it } from "vitest";
import { agentPath, setStage } from "../../packages/local-github/demo/world.ts";
import { ask, start, waiting } from "./library.ts";

it("starts Baton, runs a process of its own, reads what it waits for, cancels it", async () => {
  const stage = await setStage();
  const { github, issue, scriptPath } = stage;
  const script = `process.env.BATON_AGENT_SCRIPT = ${JSON.stringify(scriptPath)}; await import(${JSON.stringify(agentPath)});`;
  const baton = await start({
    ...stage.environment,
    // The scripted agent is of this repository and does what the test says.
    BATON_SANDBOX: "off",
    BATON_HARNESS_COMMAND: JSON.stringify([process.execPath, "--input-type=module", "-e", script]),
  });
  try {
    const repository = [...github.state.repositories.values()].find(({ name }) => name === "shop");
    if (repository === undefined) throw new Error("no repository");
    const installationId = [...github.state.installations.keys()][0] as number;
    const thread = {
      repository: { id: repository.id, owner: "acme", name: "shop", defaultBranch: "main", installationId },
      number: issue,
      kind: "issue" as const,
    };
    const alice = { id: 1, login: "alice", kind: "user" as const, permission: "write" as const };
    const baseSha = repository.refs.get("refs/heads/main") as string;
    const run = await ask(baton, thread, alice, { title: "Slow", body: "It is.", baseSha });
    expect(run).toMatchObject({ status: "waiting", process: { name: "second-opinion" } });
    expect(run.steps.map(({ key, status }) => `${key} ${status}`)).toEqual([
      "plans/careful/plan succeeded",
      "plans/bold/plan succeeded",
      "show succeeded",
      "choice requested",
    ]);
    expect(run.money.spentUsd).toBeGreaterThan(0);
    expect(await waiting(baton)).toEqual([expect.stringContaining("Which plan: careful or bold?")]);
    await baton.runs.cancel(run.runId, alice, "only an example");
    expect(await baton.runs.advance(run.runId)).toMatchObject({ status: "cancelled" });
  } finally {
    await baton.stop();
    await stage.close();
  }
});
