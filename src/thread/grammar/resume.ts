import { defineCommand } from "./command.ts";

export const resume = defineCommand({ name: "resume", usage: "resume", summary: "Go on after a pause." });
