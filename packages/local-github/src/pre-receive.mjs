#!/usr/bin/env node
/** The hook of a push. It asks local GitHub whether its rules allow the ref changes. If not, it prints the refusal. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const git = (...args) => execFileSync("git", args, { encoding: "utf8" });
const absent = /^0+$/;
const changes = readFileSync(0, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => {
    const [from, to, ref] = line.split(" ");
    const commits = absent.test(to)
      ? []
      : git("log", "-z", "--format=%H%x01%s%x01%b%x01", to, "--not", "--all")
          .split("\0")
          .filter((entry) => entry !== "")
          .map((entry) => {
            const [sha, subject, body] = entry.split("\x01");
            return { sha, message: body === "" ? subject : `${subject}\n\n${body}` };
          });
    let isForced = false;
    if (!absent.test(from) && !absent.test(to)) {
      try {
        git("merge-base", "--is-ancestor", from, to);
      } catch {
        isForced = true;
      }
    }
    return { ref, from: absent.test(from) ? null : from, to: absent.test(to) ? null : to, isForced, commits };
  });
const answer = await fetch(process.env.LOCAL_GITHUB_RULES, { method: "POST", body: JSON.stringify(changes) });
const words = await answer.text();
if (words !== "") {
  process.stderr.write(words);
  process.exit(1);
}
