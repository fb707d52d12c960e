#!/usr/bin/env node
/** What a tool of the agent would see. */
import { writeFileSync } from "node:fs";

writeFileSync("environment.json", JSON.stringify(process.env));
