#!/usr/bin/env node
/** Speaks as Claude Code does: asks its model twice through Baton's proxy, writes the file that the prompt names, says nothing of what it used. */
import { writeFileSync } from "node:fs";

const { env, argv } = process;
let prompt = "";
for await (const chunk of process.stdin) prompt += chunk;
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const model = argv[argv.indexOf("--model") + 1];
say({ type: "system", subtype: "init", session_id: "00000000-0000-4000-8000-000000000000", model });
for (let asked = 0; asked < 2; asked += 1) {
  const response = await fetch(`${env["ANTHROPIC_BASE_URL"]}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": env["ANTHROPIC_API_KEY"], "content-type": "application/json" },
    body: JSON.stringify({
      model,
      stream: true,
      max_tokens: 100,
      metadata: { user_id: env["BATON_ATTEMPT"] },
      tools: [{ name: "Write" }],
      messages: [{ role: "user", content: "Go on." }],
    }),
  });
  await response.text();
  if (!response.ok) process.exit(1);
}
const file = /note-\d+\.txt/.exec(prompt)?.[0] ?? "note.txt";
if (env["BATON_ROLE"] !== "plan") writeFileSync(file, `${file}\n`);
const steps = [{ id: "note", title: `Write ${file}`, effort: "small", risk: "low" }];
const plan = `\n\n\`\`\`json\n${JSON.stringify({ steps })}\n\`\`\`\n`;
const result = env["BATON_ROLE"] === "plan" ? `Write ${file}.${plan}` : `Wrote ${file}.`;
say({ type: "result", subtype: "success", is_error: false, num_turns: 2, result });
