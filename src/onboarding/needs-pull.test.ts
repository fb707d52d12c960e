import { expect, it } from "vitest";
import { readWorkflow } from "./workflows.ts";

const workflow = (step: string, job = "") =>
  readWorkflow(
    ".github/workflows/check.yml",
    `name: Check\non: [pull_request, workflow_dispatch]\nconcurrency: "\${{ github.event.pull_request.number }}"\njobs:\n  check:\n    runs-on: x\n${job}    steps:\n      - { ${step} }\n`,
  )?.workflow;

it.each<[string, string, string?]>([
  ["compares dependencies", "uses: actions/dependency-review-action@v5"],
  ["judges the title", "uses: amannn/action-semantic-pull-request@v6"],
  ["labels by files", "uses: actions/labeler@v6"],
  ["checks out the base", "uses: actions/checkout@v6, with: { ref: '${{ github.event.pull_request.base.sha }}' }"],
  ["compares branches", "run: 'git diff origin/${{ github.base_ref }}'"],
  ["knows the number from its environment", "run: ./x", "    env: { NUMBER: '${{ github.event.number }}' }\n"],
])("a job that %s works on no other event, so Baton does not start it", (_, step, job = "") => {
  expect(workflow(step, job)).toMatchObject({
    isCi: true,
    dispatchable: false,
    leftOut: [expect.stringMatching(/^Job `check` needs a pull request: `/)],
  });
});

it.each<[string, string, string?]>([
  ["none of it", "run: npm test"],
  [
    "a dependency review of two named refs",
    "uses: actions/dependency-review-action@v5, with: { base-ref: a, head-ref: b }",
  ],
  ["another value without one", "uses: actions/checkout@v6, with: { ref: '${{ github.head_ref || github.ref }}' }"],
  ["a step only for them", "if: github.event_name == 'pull_request', run: 'echo ${{ github.base_ref }}'"],
  ["a job only for them", "run: 'echo ${{ github.base_ref }}'", "    if: github.event_name == 'pull_request'\n"],
])("a workflow with %s is started", (_, step, job = "") => {
  expect(workflow(step, job)).toMatchObject({ dispatchable: true, leftOut: [] });
});
