import { basename, join } from "node:path";
import { builtInProcesses } from "../../../processes/index.ts";
import { processFolder, processPath } from "../../begin/load-processes.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { beside, inFolder } from "../processes.ts";
import { table } from "../text.ts";

const everywhere = ["issue", "pull-request"];

export const processList: CliCommand = (program, context) => {
  group(program, "process", "Processes of a repository, written in YAML.")
    .command("list")
    .description("List what `/baton run` can run here: Baton's own processes and those of this repository.")
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const { directory, print } = context;
      const registry = builtInProcesses();
      const own = registry.names().map((name) => {
        const { on = everywhere, summary } = registry.latest(name);
        return { name, on: [...on], from: "Baton", summary, ok: true };
      });
      const folder = beside(join(directory, processFolder));
      const files = [];
      for (const path of inFolder(directory)) {
        const name = basename(path, ".yaml");
        const { parsed } = await folder.check(name);
        files.push({
          name,
          on: parsed.ok ? parsed.file.on : [],
          from: processPath(name),
          summary: parsed.ok ? parsed.file.summary : "Cannot run: `baton process check` says why.",
          ok: parsed.ok,
        });
      }
      const all = [...own, ...files];
      if (json === true) return print(JSON.stringify(all, null, 2));
      print(
        table([
          ["NAME", "ON", "FROM", "WHAT"],
          ...all.map(({ name, on, from, summary }) => [name, on.join(", "), from, summary]),
        ]),
      );
    });
};
