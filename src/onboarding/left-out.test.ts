/** Which workflows Baton may start, and which checks it suggests. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { sha256 } from "../adapters/system/sha256.ts";
import { type Detected, detect } from "./detect.ts";
import { explain } from "./explain.ts";
import { planFiles } from "./plan.ts";
import { proposalOf } from "./propose.ts";
import { commandFound, nameFound, startedByHand, stepActionFound, stepNameFound } from "./publishing-signs.ts";
import { workflowAlone } from "./template.ts";
import { readWorkflow } from "./workflows.ts";

const pages = "name: Pages\non: { push: { branches: [main] }, workflow_dispatch: {} }\njobs: { deploy: {} }\n";
const ci = "name: CI\non: { pull_request: {}, push: { branches: [main] } }\njobs: { build: {} }\n";

const repository = (files: Record<string, string>): Detected =>
  detect({
    name: "acme/shop",
    defaultBranch: "main",
    paths: Object.keys(files),
    isWhole: true,
    texts: new Map(Object.entries(files)),
    secretNames: [],
    environmentNames: [],
    branch: null,
    writers: null,
    isEmpty: false,
  });

interface Written {
  on: { workflow_run?: { workflows: string[] } };
  jobs: { baton: { steps: { with?: Record<string, string> }[] } };
}

function proposed(workflows: Record<string, string>) {
  const files = Object.fromEntries(
    Object.entries(workflows).map(([name, text]) => [`.github/workflows/${name}`, text]),
  );
  const detected = repository(files);
  const workflow = workflowAlone();
  const planned = planFiles({ detected, workflow, digest: sha256 });
  const written = parse(planned[0]?.text ?? "") as Written;
  const told = explain(
    proposalOf(
      { workflow, permissionsText: workflow.text, modelOf: () => null, place: "pull-request" },
      detected,
      planned,
      [],
    ),
  );
  return {
    workflowText: planned[0]?.text ?? "",
    waitsFor: written.on.workflow_run?.workflows ?? [],
    starts:
      written.jobs.baton.steps.find(({ with: given }) => given?.["job"] === "work")?.with?.["dispatch-workflows"] ??
      null,
    suggested: planned.find(({ path }) => path === "baton.yaml")?.text ?? "",
    told,
  };
}

describe("init-dispatches-release-and-deploy", () => {
  it("the case's repository: CI is waited for, its check suggested, it alone is started, and the text says why", () => {
    const { waitsFor, starts, suggested, told, workflowText } = proposed({ "ci.yml": ci, "pages.yml": pages });
    expect(waitsFor).toEqual(["CI"]);
    expect(starts).toBe("ci.yml");
    expect(suggested).toContain("gates: { required: [ build ] }");
    expect(suggested).not.toContain("deploy");
    expect(told).toContain("### Workflows that Baton does not start");
    expect(told).toMatch(/`\.github\/workflows\/pages\.yml`: A push to `baton\/\S+` does not start it/);
    expect(told).toContain("Job `deploy` is named like a release.");
    expect(workflowText).not.toMatch(/pages\.yml|named like/);
  });

  it.each([
    ["a registry's token", "secrets.CARGO_REGISTRY_TOKEN", "CARGO_REGISTRY_TOKEN"],
    ["a registry's password, in brackets", "secrets['OSSRH_PASSWORD']", "OSSRH_PASSWORD"],
    ["a name that says so", "secrets . DEPLOY_KEY", "DEPLOY_KEY"],
    ["a token that also installs", "secrets.NPM_TOKEN", null],
    ["GitHub's own token", "secrets.GITHUB_TOKEN", null],
    ["no secret", "env.CARGO_REGISTRY_TOKEN", null],
  ])("a job is left out for what only publishing needs: %s", (_, expression, found) => {
    const job = `{ steps: [{ run: make all, env: { A: "\${{ ${expression} }}" } }] }`;
    const text = `on: [pull_request, workflow_dispatch]\njobs: { test: ${job} }\n`;
    expect(readWorkflow(".github/workflows/x.yml", text)?.workflow.leftOut).toEqual(
      found === null ? [] : [`Job \`test\` uses the secret \`${found}\`.`],
    );
  });

  const on = (events: string, rest = "jobs: { test: {} }"): string => `on: ${events}\n${rest}\n`;
  const startable = (text: string, files: Record<string, string> = {}): boolean | undefined =>
    readWorkflow(".github/workflows/x.yml", text, { read: (path) => files[path] ?? null })?.workflow.dispatchable;

  it.each([
    "[pull_request, workflow_dispatch]",
    "[push, workflow_dispatch]",
    "[merge_group, workflow_dispatch]",
    "{ pull_request: null, workflow_dispatch: null }",
    "{ pull_request: { types: [opened, synchronize] }, workflow_dispatch: {} }",
    "{ pull_request: { branches: [main, 'release/**'] }, workflow_dispatch: {} }",
    "{ pull_request: { branches: ['**', '!gh-pages'] }, workflow_dispatch: {} }",
    "{ pull_request: { branches-ignore: [gh-pages] }, workflow_dispatch: {} }",
    "{ pull_request: { paths: ['src/**'] }, workflow_dispatch: {} }",
    "{ push: { branches: ['**'] }, workflow_dispatch: {} }",
    "{ push: { branches: [main, 'baton/**'] }, workflow_dispatch: {} }",
    "{ push: { branches-ignore: [main] }, workflow_dispatch: {} }",
    "{ push: { paths-ignore: ['**.md'] }, workflow_dispatch: {} }",
    "{ push: { branches: ['**'], tags: ['v*'] }, workflow_dispatch: {} }",
    "{ push: { branches: [main] }, pull_request: {}, workflow_dispatch: {} }",
    "{ pull_request: {}, workflow_dispatch: { inputs: { level: { required: true, default: info } } } }",
  ])("a pull request starts it, so may Baton: on: %s", (events) => {
    expect(startable(on(events))).toBe(true);
  });

  it.each([
    "workflow_dispatch",
    "[schedule, workflow_dispatch]",
    "[release, workflow_dispatch]",
    "[pull_request_target, workflow_dispatch]",
    "[issue_comment, pull_request_review, workflow_dispatch]",
    "[workflow_run, workflow_dispatch]",
    "[workflow_call, workflow_dispatch]",
    "{ push: { branches: main }, workflow_dispatch: {} }",
    "{ push: { branches: ['release/**', main] }, workflow_dispatch: {} }",
    // `*` stops at a slash: no branch of Baton matches.
    "{ push: { branches: ['*'] }, workflow_dispatch: {} }",
    "{ push: { branches: ['**', '!baton/**'] }, workflow_dispatch: {} }",
    "{ push: { branches-ignore: ['**'] }, workflow_dispatch: {} }",
    "{ push: { branches: [] }, workflow_dispatch: {} }",
    "{ push: { tags: ['v*'] }, workflow_dispatch: {} }",
    "{ push: { tags-ignore: ['v*'] }, workflow_dispatch: {} }",
    "{ push: { paths: ['docs/**'] }, workflow_dispatch: {} }",
    "{ pull_request: { types: [closed] }, workflow_dispatch: {} }",
    "{ pull_request: { types: labeled }, workflow_dispatch: {} }",
    "{ pull_request: { branches: ['release/**'] }, workflow_dispatch: {} }",
    "{ pull_request: { branches-ignore: [main] }, workflow_dispatch: {} }",
    "{ merge_group: { branches: [stable] }, workflow_dispatch: {} }",
    "{ pull_request: {}, workflow_dispatch: { inputs: { version: { required: true } } } }",
  ])("no pull request starts it so: on: %s", (events) => {
    const text = on(events);
    expect(startable(text)).toBe(false);
    expect(readWorkflow(".github/workflows/x.yml", text)?.workflow.leftOut).not.toEqual([]);
  });

  const job = (fields: string, head = ""): string =>
    `on: [pull_request, workflow_dispatch]\n${head}jobs: { test: ${fields} }\n`;
  const callee = ".github/workflows/called.yml";
  const composite = ".github/actions/pack/action.yml";
  it.each<[string, string, string, Record<string, string>?]>([
    ["an environment", job("{ environment: production }"), "environment `production`"],
    ["an environment as a map", job("{ environment: { name: github-pages, url: x } }"), "environment `github-pages`"],
    ["an environment as an expression", job("{ environment: '${{ inputs.where }}' }"), "environment"],
    ["the right to write all", job("{}", "permissions: write-all\n"), "write-all"],
    ["packages", job("{ permissions: { packages: write } }"), "`packages`"],
    [
      "pages and a token for a cloud",
      job("{}", "permissions: { pages: write, id-token: write }\n"),
      "`pages`, `id-token`",
    ],
    ["contents", job("{ permissions: { contents: write } }"), "`contents`"],
    ["deployments", job("{ permissions: { deployments: write } }"), "`deployments`"],
    ["attestations", job("{ permissions: { attestations: write } }"), "`attestations`"],
    ["a job's name", job("{ name: Publish to npm }"), "`Publish to npm`"],
    ["its own name", job("{}", "name: Nightly release\n"), "`Nightly release`"],
    ["a command", job("{ steps: [{ run: 'npm ci\\nnpm publish --access public' }] }"), "runs"],
    ["an action", job("{ steps: [{ uses: pypa/gh-action-pypi-publish@release/v1 }] }"), "gh-action-pypi-publish"],
    [
      "an image that is pushed",
      job("{ steps: [{ uses: docker/build-push-action@v6, with: { push: true } }] }"),
      "docker/",
    ],
    [
      "a called workflow",
      job(`{ uses: ./${callee} }`),
      "environment `live`",
      { [callee]: "on: workflow_call\njobs: { go: { environment: live } }" },
    ],
    ["a called workflow that is not there", job("{ uses: ./.github/workflows/none.yml }"), "cannot read"],
    ["one of another repository", job("{ uses: acme/ci/.github/workflows/build.yml@v1 }"), "another repository"],
    [
      "all secrets handed on",
      job(`{ uses: ./${callee}, secrets: inherit }`),
      "all secrets",
      { [callee]: "on: workflow_call\njobs: { t: {} }" },
    ],
    [
      "a composite action",
      job("{ steps: [{ uses: ./.github/actions/pack }] }"),
      "twine upload",
      { [composite]: "runs: { using: composite, steps: [{ run: twine upload dist/*, shell: bash }] }" },
    ],
    [
      "a composite action whose input asks by default what starts it",
      job("{ steps: [{ uses: ./.github/actions/pack }] }"),
      "asks what starts it",
      {
        [composite]:
          "inputs: { by: { default: '${{ github.event_name }}' } }\nruns: { using: composite, steps: [{ if: \"inputs.by == 'workflow_dispatch'\", run: ./x, shell: bash }] }",
      },
    ],
    [
      "an action that pushes what the job changed",
      job("{ steps: [{ uses: autofix-ci/action@v1 }] }"),
      "autofix-ci/action",
    ],
    ["another one", job("{ steps: [{ uses: pre-commit-ci/lite-action@v1.1.0 }] }"), "pre-commit-ci/lite-action"],
    // https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#env
    [
      "a secret of the whole workflow",
      job("{ steps: [{ run: ./x }] }", "env: { PYPI_TOKEN: '${{ secrets.PYPI_TOKEN }}' }\n"),
      "The workflow uses the secret `PYPI_TOKEN`.",
    ],
    ["all secrets as one", job("{ steps: [{ run: ./x, env: { S: '${{ toJSON(secrets) }}' } }] }"), "toJSON(secrets)"],
    ["a step's name", job("{ steps: [{ name: Deploy to production, run: ./x }] }"), "step `Deploy to production`"],
    [
      "a command within an action's inputs",
      job("{ steps: [{ uses: nick-fields/retry@v3, with: { command: npm publish } }] }"),
      "nick-fields/retry",
    ],
    [
      "a script that calls GitHub",
      job("{ steps: [{ uses: actions/github-script@v7, with: { script: 'github.rest.repos.createRelease({})' } }] }"),
      "github-script",
    ],
    [
      "a job for pull requests, and perhaps for others",
      job("{ if: \"github.event_name == 'pull_request' || always()\", steps: [{ run: npm publish }] }"),
      "runs `npm publish`",
    ],
    [
      "a job for a start by hand",
      job("{ if: \"github.event_name == 'workflow_dispatch'\" }"),
      "a condition on what starts it",
    ],
    [
      "a step that pull requests leave out",
      job("{ steps: [{ if: \"github.event_name != 'pull_request'\", run: ./x }] }"),
      "a condition on what starts it",
    ],
    [
      "a command of the matrix",
      job("{ strategy: { matrix: { task: [test, publish] } }, steps: [{ run: 'npm ${{ matrix.task }}' }] }"),
      "runs `npm publish`",
    ],
    [
      "a command of the matrix, included",
      job("{ strategy: { matrix: { include: [{ cmd: npm publish }] } }, steps: [{ run: '${{ matrix.cmd }}' }] }"),
      "runs `npm publish`",
    ],
    ["a command in a variable", job("{ env: { VERB: publish }, steps: [{ run: npm $VERB }] }"), "runs `npm publish`"],
    ["a shell that is a command", job("{ steps: [{ run: x, shell: 'npm publish {0}' }] }"), "has the shell"],
    [
      "the shell of all steps",
      job("{ defaults: { run: { shell: 'deploy {0}' } }, steps: [{ run: x }] }"),
      "has the shell `deploy {0}`",
    ],
    ["an image's own name", job("{ steps: [{ uses: 'docker://acme/npm-publish:1' }] }"), "docker://acme/npm-publish"],
    [
      "what an image is told to run",
      job("{ steps: [{ uses: 'docker://node:24', with: { args: npm publish } }] }"),
      "docker://node",
    ],
    [
      "what an action's container is told to run",
      job("{ steps: [{ uses: ./.github/actions/pack }] }"),
      "npm publish",
      { [composite]: "runs: { using: docker, image: Dockerfile, args: [npm, publish] }" },
    ],
    ["an action that is not there", job("{ steps: [{ uses: ./.github/actions/none }] }"), "which Baton cannot read"],
    [
      "a request to GitHub that writes",
      job(
        "{ steps: [{ uses: actions/github-script@v7, with: { script: \"github.request('POST /repos/a/b/releases')\" } }] }",
      ),
      "github-script",
    ],
    [
      "a secret whose name only a run tells",
      job("{ steps: [{ run: ./x, env: { K: '${{ secrets[matrix.name] }}' } }] }"),
      "secrets[…]",
    ],
    [
      "the key of a cloud",
      job("{ steps: [{ run: ./x, env: { K: '${{ secrets.AWS_SECRET_ACCESS_KEY }}' } }] }"),
      "AWS_",
    ],
    ["the role of a cloud", job("{ steps: [{ uses: aws-actions/configure-aws-credentials@v5 }] }"), "aws-actions"],
    ["rights in another case", job("{ permissions: { contents: Write } }"), "`contents`"],
    ["a branch that no pull request has", job("{ if: \"github.head_ref == ''\" }"), "a condition on what starts it"],
    ["no pull request", job("{ if: '!github.event.pull_request' }"), "a condition on what starts it"],
    [
      "a ref that pull requests do not have",
      job("{ steps: [{ if: \"startsWith(github.ref, 'refs/heads/')\", run: ./x }] }"),
      "a condition on what starts it",
    ],
    [
      "a script that asks what started it",
      job("{ steps: [{ run: 'if [ $GITHUB_EVENT_NAME = workflow_dispatch ]; then ./x; fi' }] }"),
      "asks what starts it",
    ],
    [
      "a variable that says what started it",
      job("{ steps: [{ run: ./x, env: { LIVE: \"${{ github.event_name == 'workflow_dispatch' }}\" } }] }"),
      "asks what starts it",
    ],
    ["a merged map", "x: &x { environment: live }\n".concat(job("{ <<: *x }")), "environment `live`"],
    [
      "a circle of calls that ends in one",
      job(`{ uses: ./${callee} }`),
      "is named like a release",
      { [callee]: `on: workflow_call\njobs: { a: { uses: ./${callee} }, release: {} }` },
    ],
  ])("left out for %s", (_, text, reason, files = {}) => {
    const read = readWorkflow(".github/workflows/x.yml", text, { read: (path) => files[path] ?? null });
    expect(read?.workflow).toMatchObject({ isCi: true, dispatchable: false });
    expect(read?.workflow.leftOut.join(" ")).toContain(reason);
  });

  it.each<[string, string, Record<string, string>?]>([
    [
      "rights to read, and to write checks",
      job("{ permissions: { contents: read, checks: write, pull-requests: write } }"),
    ],
    ["no environment", job("{ environment: '' }")],
    ["a job for pull requests only", job("{ if: \"github.event_name == 'pull_request'\" }")],
    [
      "such a job that publishes a preview: a start by hand leaves it out",
      job(
        "{ if: \"${{ github.event_name == 'pull_request' && github.actor != 'x' }}\", steps: [{ run: npm publish }] }",
      ),
    ],
    [
      "an artifact named after a release",
      job("{ steps: [{ uses: actions/upload-artifact@v4, with: { name: release, path: target/release/app } }] }"),
    ],
    ["a release build", job("{ steps: [{ name: Build release, run: cargo build --release }] }")],
    ["an image that is only built", job("{ steps: [{ uses: docker/build-push-action@v6, with: { push: false } }] }")],
    [
      "a called workflow that tests",
      job(`{ uses: ./${callee} }`),
      { [callee]: "on: workflow_call\njobs: { t: { steps: [{ run: npm test }] } }" },
    ],
    [
      "a composite action with conditions on its own inputs",
      job("{ steps: [{ uses: ./.github/actions/pack, with: { target: auto } }] }"),
      {
        [composite]:
          "inputs: { target: { default: main } }\nruns: { using: composite, steps: [{ if: \"${{ inputs.target == 'auto' }}\", run: npm ci, shell: bash }] }",
      },
    ],
    [
      "a composite action that sets up",
      job("{ steps: [{ uses: ./.github/actions/pack }] }"),
      { [composite]: "runs: { using: composite, steps: [{ run: npm ci, shell: bash }] }" },
    ],
  ])("still started with %s", (_, text, files = {}) => {
    expect(startable(text, files)).toBe(true);
  });

  it("a check that some pull requests do not get, or whose job publishes, is not suggested", () => {
    const file = (name: string, events: string, jobs: string): string =>
      `name: ${name}\non: ${events}\njobs: { ${jobs} }`;
    const { suggested, waitsFor } = proposed({
      "a.yml": file("A", "pull_request", "unit: {}, publish: {}, live: { environment: x }"),
      "b.yml": file("B", "{ pull_request: { paths: [docs/**] } }", "docs: {}"),
      "c.yml": file("C", "merge_group", "queue: {}"),
    });
    expect(waitsFor).toEqual(["A", "B", "C"]);
    expect(suggested).not.toContain("gates");
    expect(proposed({ "a.yml": file("A", "pull_request", "unit: {}, more: { if: x }") }).suggested).toContain(
      "gates: { required: [ unit ] }",
    );
  });

  it("text of a workflow breaks out of nothing", () => {
    const name = "release ` | <img src=x>\\n# b";
    const { told } = proposed({
      "x.yml": `on: [push, workflow_dispatch]\njobs: { t: { name: "${name}", environment: "a\\u2028b" } }`,
    });
    expect(told).toContain("`release ? ? <img src=x>?# b`");
    expect(told).toContain("`a?b`");
  });
});

it.each([
  "npm publish",
  "pnpm -r publish --no-git-checks",
  "npx changeset publish",
  "cargo publish -p core",
  "uv publish",
  "python -m twine upload dist/*",
  "mvn -B -ntp deploy -DskipTests",
  "./gradlew publishToSonatype",
  "gh release create v1",
  "npx semantic-release",
  "goreleaser release --clean",
  "docker push ghcr.io/a/b",
  "docker buildx build . --push",
  "docker build . \\\n  --push",
  "helm upgrade --install a .",
  "kubectl -n live apply -f x",
  "terraform apply -auto-approve",
  "npm run deploy",
  "yarn release",
  "make -C x publish",
  "./scripts/release.sh 1.0",
  "git push origin HEAD:gh-pages",
  "aws s3 sync dist s3://x",
  "npx wrangler pages deploy dist",
  "dotnet nuget push a.nupkg",
  "gem push a.gem",
  "true && npm publish",
  "npm publish --dry-run=false",
  "vercel deploy --prod",
  "rsync -az dist/ me@host:/srv",
  "mkdocs gh-deploy --force",
  // A rehearsal, and then a real command.
  "npm publish --dry-run & npm publish",
  "npm publish --dry-run | tee log | npm publish",
  "npm publish # not --dry-run",
  "npm test\rnpm publish",
  `${"true ".repeat(500)} | npm publish`,
  `${"echo x\n".repeat(4_000)}npm publish`,
  `echo ${"x".repeat(3_000)} > y`,
  "curl -d @x https://api.example.com/hook",
  "curl -F file=@dist.zip https://files.example.com",
  "npx surge dist shop.surge.sh",
  "npm pub",
  "pack build app --publish",
  "clojure -X:deploy",
  "nx affected --target=deploy",
  "ssh -i key me@host uptime",
  "kubectl --context live delete pod x",
  "Publish-Module -Name x",
  "msbuild app.sln /t:Publish",
  "gh api graphql -f query='mutation { x }'",
  "npx vercel@latest --prod",
  "docker buildx imagetools create -t a b",
  "xcrun altool --upload-app -f x.ipa",
  // Scripts without an extension.
  "./deploy",
  "./scripts/deploy prod",
  "sh ci/release",
  "node scripts/publish",
  "CI=1 bash ./ship",
  // https://nx.dev/features/manage-releases, https://turborepo.com/docs/crafting-your-repository/running-tasks, https://rushjs.io
  "npx nx release",
  "npx nx run web:deploy",
  "npx turbo run deploy",
  "yarn workspace web deploy",
  "npm run -w web deploy",
  "pnpm --filter web run deploy",
  "rush publish",
  "lerna version --yes",
  "aws lambda update-function-code --function-name x",
  "aws ecs update-service --cluster c --force-new-deployment",
  "gcloud builds submit",
  "gcloud run services replace x.yaml",
  "helmfile apply",
  "oc apply -f x",
  "cf push",
  "bundle exec cap production deploy",
  "sf project deploy start",
  "eas submit --platform ios",
  "lein deploy clojars",
  "php artisan deploy",
  "argocd app sync app",
  "nomad job run x",
  "jf rt upload x y",
  "rclone copy dist r2:bucket",
  "s3cmd sync . s3://b",
  "curl -T dist.zip https://nexus.example/x",
  "curl -X POST https://api.render.com/deploy/srv-1?key=2",
  "hub release create v1",
  "make push",
  "make docker-push",
  "bazel run //:push_image",
  "nix run .#deploy",
  "./gradlew jib",
  "dagger call publish",
  "docker compose build --push",
  "earthly --push +image",
  "opam publish",
  "cachix push x",
])("%j publishes", (command) => {
  expect(commandFound(command)).not.toBeNull();
});

it.each([
  "npm ci",
  "npm test",
  "npm run build",
  "cargo build --release",
  "cargo test --all",
  "npm publish --dry-run",
  "# npm publish",
  "mvn verify",
  "./gradlew check publishToMavenLocal",
  "goreleaser check",
  "goreleaser release --snapshot --clean",
  "docker build .",
  "git fetch --tags",
  "pip install twine",
  "terraform plan",
  "helm lint",
  "cargo publish --dry-run",
  "twine check dist/*",
  "make test",
  "git stash push",
  "git checkout release",
  "git config push.default simple",
  "dotnet publish -c Release",
  "swift build -c release",
  "cmake --preset release",
  "ctest -C release",
  "cp target/release/app .",
  "./target/release/app --help",
  "pytest tests/deploy",
  "go test ./release",
  "cd deploy && npm test",
  "echo release",
  "docker build -f deploy/Dockerfile .",
  "curl -fsSL https://example.com/install.sh",
  "curl -X POST http://localhost:3000/orders",
  "aws ecr get-login-password",
  "aws s3 ls",
  "yarn workspace web test",
  "npx turbo run build",
  "VERSION=release make test",
  "npm publish --dry-run | tee log",
  "ssh-keyscan github.com >> known_hosts",
  "msbuild app.sln /t:Build",
  "./gradlew assembleRelease lintRelease",
  "gh api graphql -f query='query { x }'",
  "curl -d @x http://127.0.0.1:3000/hook",
  "curl -fsSL https://example.com/a?b=1&c=2 | sh",
])("%j does not", (command) => {
  expect(commandFound(command)).toBeNull();
});

it("commands of any shape are judged in time", () => {
  for (const part of ["rsync ", "kubectl a ", "git -c a ", "release/", "a".repeat(50)])
    expect(commandFound(part.repeat(1_900 / part.length))).toBeDefined();
}, 5_000);

it.each([
  ["release", true],
  ["docs-deploy", true],
  ["publish_packages", true],
  ["deployPreview", true],
  ["GitHub Pages", true],
  ["Unpublish", true],
  ["fix-npm-tags", true],
  ["Prerelease", true],
  ["webdeploy", true],
  ["npmPublish2", true],
  ["push-image", true],
  ["docker_push", true],
  ["cd", true],
  ["delivery", true],
  ["CI/CD", false],
  ["on-push", false],
  ["test", false],
  ["leases", false],
  ["employ", false],
  ["build", false],
  ["homepage", false],
])("the name %j tells of publishing: %j", (name, told) => {
  expect(nameFound(name)).toBe(told);
});

it.each<[string, Record<string, string>, boolean]>([
  ["docker/build-push-action@v6", { push: "${{ github.event_name != 'pull_request' }}" }, true],
  ["docker/build-push-action@v6", { outputs: "type=registry" }, true],
  ["docker/build-push-action@v6", { push: "false" }, false],
  ["goreleaser/goreleaser-action@v6", { args: "release --clean" }, true],
  ["goreleaser/goreleaser-action@v6", {}, true],
  ["goreleaser/goreleaser-action@v6", { args: "build --snapshot" }, false],
  ["Softprops/action-gh-release@v2", {}, true],
  ["actions/deploy-pages@v4", {}, true],
  ["someone/deploy-to-moon@v1", {}, true],
  ["actions/checkout@v5", {}, false],
  ["actions/setup-node@v5", {}, false],
  ["docker://ghcr.io/a/b", {}, false],
])("%s with %j publishes: %j", (uses, given, told) => {
  expect(stepActionFound(uses, given)).toBe(told);
});

it.each([
  ["anothrNick/github-tag-action@1", {}],
  ["EndBug/add-and-commit@v9", {}],
  ["macbre/push-to-ghcr@master", {}],
  ["w9jds/firebase-action@master", { args: "deploy --only hosting" }],
  ["azure/cli@v2", { inlinescript: "az webapp deploy" }],
  ["gradle/actions/setup-gradle@v3", { arguments: "publish" }],
  ["cypress-io/github-action@v6", { command: "npm run deploy" }],
  ["expo/expo-github-action@v8", { command: "eas submit" }],
] as [string, Record<string, string>][])("init-dispatches-release-and-deploy: %s with %j publishes", (uses, given) => {
  expect(stepActionFound(uses, given)).toBe(true);
});

it.each([
  ["Deploy", true],
  ["Publish to npm", true],
  ["Create GitHub release", true],
  ["Push image", true],
  ["Build and push", true],
  ["Build release", false],
  ["Install pre-release dependencies", false],
  ["Upload coverage", false],
  ["Run tests", false],
])("the step %j tells of publishing: %j", (name, told) => {
  expect(stepNameFound(name)).toBe(told);
});

it.each([
  ["inputs.level == 'full'", true],
  ["github.event.inputs.version != ''", true],
  ['contains(fromJSON(\'["push", "workflow_dispatch"]\'), github.event_name)', true],
  ["github['event_name'] != 'push'", true],
  ["github.event_name == 'push' || github.event_name == 'pull_request'", false],
  ["github.event_name != 'workflow_dispatch'", false],
  ["always() && !cancelled()", false],
  ["!github.base_ref", true],
  ["null == github.event.pull_request", true],
  ["!startsWith(github.ref, 'refs/pull/')", true],
  ["github.event.pull_request.draft == false", false],
  ["github.event.pull_request.head.repo.full_name == github.repository", false],
  ["github.ref == 'refs/heads/main'", false],
])("the condition %s lets a start by hand through: %j", (condition, lets) => {
  expect(startedByHand(condition)).toBe(lets);
});
