import { type CliCommand, group } from "../context.ts";

export const configSchema: CliCommand = (program, { print }) => {
  group(program, "config", "The configuration of a repository, `baton.yaml`.")
    .command("schema")
    .description("Print the JSON Schema of `baton.yaml`, for editors.")
    .action(async () => {
      const { settingsJsonSchema } = await import("../../config/json-schema.ts");
      print(JSON.stringify({ title: "baton.yaml", ...settingsJsonSchema() }, null, 2));
    });
};
