/** The view that another process of the same user has of this process's environment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const module = fileURLToPath(new URL("./forget-environment.ts", import.meta.url));
const script = `
  import { forgetEnvironment } from ${JSON.stringify(module)};
  const kept = process.env.BATON_NOTE;
  const done = forgetEnvironment(["sk-not-to-be-seen"], { keep: process.env.KEEP === "1" });
  process.stdout.write(JSON.stringify({ done, env: process.env, kept }) + "\\n");
  process.stdin.resume();
`;

it.runIf(existsSync("/proc/self/environ")).each([
  ["FE1: values of secrets are gone from /proc, all else stays", "0"],
  ["FE3: a process that keeps its environment reads what /proc no longer shows", "1"],
])("%s", async (_, keep) => {
  const env = {
    KEEP: keep,
    PATH: process.env["PATH"] ?? "",
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "eyJ-not-to-be-seen",
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/not-to-be-seen",
    GITHUB_TOKEN: "ghs_not-to-be-seen",
    PRIVATE_KEY: "-----BEGIN\nnot-to-be-seen\n-----END",
    OTHER_NAME: "https://user:sk-not-to-be-seen@model.example",
    BATON_NOTE: "to be seen, ü",
    EMPTY: "",
  };
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  const said = JSON.parse(chunk.toString()) as { done: boolean; env: Record<string, string>; kept: string };
  const shown = readFileSync(`/proc/${child.pid}/environ`, "utf8");
  const closed = once(child, "close");
  child.stdin.end();
  expect(said).toMatchObject({ done: true, kept: env.BATON_NOTE });
  expect(said.env).toMatchObject({ PATH: env.PATH, BATON_NOTE: env.BATON_NOTE, EMPTY: "" });
  const { GITHUB_TOKEN, PRIVATE_KEY, OTHER_NAME } = env;
  if (keep === "1") expect(said.env).toMatchObject({ GITHUB_TOKEN, PRIVATE_KEY, OTHER_NAME });
  else expect(Object.keys(said.env)).not.toContain("GITHUB_TOKEN");
  expect(shown).not.toContain("not-to-be-seen");
  expect(shown).toContain(`BATON_NOTE=${env.BATON_NOTE}\0`);
  expect(shown).toContain(`PATH=${env.PATH}\0`);
  expect(await closed).toEqual([0, null]);
});
