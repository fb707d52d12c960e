// Starts a program of Baton: in a clone from its sources, with a Node that runs TypeScript; as an installed package from what was
// built for it. Plain JavaScript of old, so that an old Node and a clone without packages can say what is missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

/** Paths from the root of the clone or package. `built`: null for a program that only clones have. */
export async function launch(source, built) {
  const root = new URL("../", import.meta.url);
  const isClone = built === null || existsSync(new URL(source, root));
  const main = new URL(isClone ? source : built, root);
  const brought = fileURLToPath(new URL("node_modules/node/bin/node", root));
  const [major, minor] = process.versions.node.split(".").map(Number);
  const newEnough = isClone ? major >= 24 : major > 22 || (major === 22 && minor >= 13);

  // Node calls its SQLite experimental. Baton uses it for one lock.
  const { emitWarning } = process;
  process.emitWarning = (warning, ...rest) => {
    if (!/SQLite is an experimental feature/.test(String(warning))) emitWarning.call(process, warning, ...rest);
  };

  if (newEnough) {
    // What was compiled once is taken from there: the next command starts in half the time.
    module.enableCompileCache();
    try {
      await import(main.href);
    } catch (thrown) {
      const missing = /^Cannot find package '([^']+)'/.exec(String(thrown?.message));
      if (!isClone || thrown.code !== "ERR_MODULE_NOT_FOUND" || missing === null) throw thrown;
      fail(`The package \`${missing[1]}\` is not installed. Run \`npm install\` in ${fileURLToPath(root)} first.`);
    }
  } else if (isClone && existsSync(brought)) {
    const { status } = spawnSync(brought, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
    process.exitCode = status === null ? 1 : status;
  } else {
    const install = isClone ? ` Run \`npm install\` in ${fileURLToPath(root)}: it brings Node 24.` : "";
    fail(`Baton needs Node ${isClone ? "24" : "22.13"} or newer. This is Node ${process.versions.node}.${install}`);
  }
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
