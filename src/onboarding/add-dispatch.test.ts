import { expect, it } from "vitest";
import { withDispatch } from "./add-dispatch.ts";

const jobs = "\njobs: # all\n  t: { runs-on: x }\n";

it.each([
  ["on: push", "on: [push, workflow_dispatch]"],
  ["on: push # each", "on: [push, workflow_dispatch] # each"],
  ["'on': [push, pull_request]", "'on': [push, pull_request, workflow_dispatch]"],
  ["on: [ push ] # both", "on: [ push, workflow_dispatch ] # both"],
  ["on:\n  - push\n  - pull_request # forks", "on:\n  - push\n  - pull_request\n  - workflow_dispatch # forks"],
  ["on:\n- push", "on:\n- push\n- workflow_dispatch"],
  ["on: { push: { branches: [main] } }", "on: { workflow_dispatch: {}, push: { branches: [main] } }"],
  [
    "on:\n  # Every change.\n  push:\n    branches: [main]\n  pull_request:",
    "on:\n  # Every change.\n  workflow_dispatch:\n  push:\n    branches: [main]\n  pull_request:",
  ],
])("%j", (before, after) => {
  expect(withDispatch(`name: CI\n${before}${jobs}`)).toBe(`name: CI\n${after}${jobs}`);
});

it("lines end as before", () => {
  expect(withDispatch("on:\r\n  push:\r\njobs: {}\r\n")).toBe("on:\r\n  workflow_dispatch:\r\n  push:\r\njobs: {}\r\n");
});

it.each([
  "on: [push, workflow_dispatch]",
  "on: { workflow_dispatch: {} }",
  "on:",
  "on: []",
  "on: *x",
  "on: [",
  "jobs: {}",
  "- a",
  "",
])("%j stays as it is", (text) => {
  expect(withDispatch(`${text}${jobs}`)).toBeNull();
});
