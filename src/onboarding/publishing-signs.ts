/** The signs of publishing: words in names, actions and commands that release or deploy. Data; `publishing.ts` judges by it. */

/** Words of a name: `publish-packages`, `docsDeploy`, `GH Pages`. */
const nameWords =
  /^(?:re|pre|un|auto)?(?:releas(?:e|es|ed|er|ing)|deploy(?:s|ed|er|ing|ment|ments)?|publish(?:es|ed|er|ing)?|publication)$|^(?:gh)?pages$|^rollout$|^promot(?:e|es|ion)$|^pypi$|^goreleaser$|^nightlies$|^ship$/i;

export function nameFound(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
  return words.some((word) => nameWords.test(word)) || /\bnpm[-_ ](?:tags?|dist-tags?)\b|\bfix-npm-tags\b/i.test(name);
}

/** Secrets that only a job which publishes needs. A token that also installs, as `NPM_TOKEN` does, is no sign. */
const publishingSecrets =
  /^(?:NPM_PUBLISH_TOKEN|PYPI_\w+|TWINE_\w+|CARGO_REGISTRY_TOKEN|CRATES_IO_\w+|RUBYGEMS_\w+|GEM_HOST_API_KEY|NUGET_(?:API_)?KEY|OSSRH_\w+|SONATYPE_\w+|MAVEN_(?:CENTRAL|GPG)_\w+|HEX_API_KEY|VSCE_\w+|OVSX_\w+|CLOUDFLARE_API_TOKEN|NETLIFY_AUTH_TOKEN|VERCEL_TOKEN|FLY_API_TOKEN|HEROKU_API_KEY|KUBE_?CONFIG)$/i;

/** The secret that an expression of the text names and that only publishing needs; null: there is none. */
export function secretFound(text: string): string | null {
  const names = [...text.matchAll(/\bsecrets\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*'([A-Za-z_]\w*)'\s*\])/gi)];
  return (
    names.map((match) => match[1] ?? match[2] ?? "").find((name) => publishingSecrets.test(name) || nameFound(name)) ??
    null
  );
}

/** Actions that always publish, by `owner/name`. */
const actions = new Set(
  [
    "pypa/gh-action-pypi-publish",
    "actions/deploy-pages",
    "actions/upload-pages-artifact",
    "actions/create-release",
    "actions/upload-release-asset",
    "actions/attest-build-provenance",
    "actions/attest-sbom",
    "actions/attest",
    "actions/publish-immutable-action",
    "softprops/action-gh-release",
    "ncipollo/release-action",
    "marvinpinto/action-automatic-releases",
    "svenstaro/upload-release-action",
    "googleapis/release-please-action",
    "google-github-actions/release-please-action",
    "release-drafter/release-drafter",
    "cycjimmy/semantic-release-action",
    "codfish/semantic-release-action",
    "python-semantic-release/python-semantic-release",
    "python-semantic-release/publish-action",
    "changesets/action",
    "js-devtools/npm-publish",
    "katyo/publish-crates",
    "rust-lang/crates-io-auth-action",
    "rubygems/release-gem",
    "dart-lang/setup-dart/.github/workflows/publish.yml",
    "peaceiris/actions-gh-pages",
    "jamesives/github-pages-deploy-action",
    "crazy-max/ghaction-github-pages",
    "cloudflare/wrangler-action",
    "cloudflare/pages-action",
    "nwtgck/actions-netlify",
    "netlify/actions",
    "amondnet/vercel-action",
    "firebaseextended/action-hosting-deploy",
    "superfly/flyctl-actions",
    "akhileshns/heroku-deploy",
    "azure/webapps-deploy",
    "azure/functions-action",
    "azure/static-web-apps-deploy",
    "azure/k8s-deploy",
    "aws-actions/amazon-ecs-deploy-task-definition",
    "aws-actions/aws-cloudformation-github-deploy",
    "google-github-actions/deploy-cloudrun",
    "google-github-actions/deploy-appengine",
    "google-github-actions/deploy-cloud-functions",
    "appleboy/ssh-action",
    "appleboy/scp-action",
    "burnett01/rsync-deployments",
    "easingthemes/ssh-deploy",
    "samkirkland/ftp-deploy-action",
    "redhat-actions/push-to-registry",
    "helm/chart-releaser-action",
    "snapcore/action-publish",
    "haaleo/publish-vscode-extension",
    "mhausenblas/mkdocs-deploy-gh-pages",
    "ad-m/github-push-action",
    "stefanzweifel/git-auto-commit-action",
  ].map((name) => name.toLowerCase()),
);

/** Whether a step's action publishes with these inputs (names in lower case). */
export function stepActionFound(uses: string, given: Readonly<Record<string, string>>): boolean {
  const name = uses.replace(/@.*$/, "").toLowerCase();
  if (actions.has(name)) return true;
  const [owner, repository = "", ...folders] = name.split("/");
  if (owner === undefined || owner === "." || uses.startsWith("docker://")) return false;
  if (actions.has(`${owner}/${repository}`)) return true;
  const isOn = (value: string | undefined): boolean =>
    value !== undefined && !["", "false"].includes(value.trim().toLowerCase());
  if (/^docker\/(?:build-push|bake)-action$/.test(name))
    return isOn(given["push"]) || /type=registry|push=true|--push/.test(Object.values(given).join("\n"));
  if (name === "goreleaser/goreleaser-action") return commandFound(`goreleaser ${given["args"] ?? "release"}`) !== null;
  if (name === "gradle/gradle-build-action" || name === "borales/actions-yarn")
    return commandFound(`gradle ${given["arguments"] ?? ""}\nyarn ${given["cmd"] ?? ""}`) !== null;
  if (name === "pyo3/maturin-action") return commandFound(`maturin ${given["command"] ?? "build"}`) !== null;
  return [repository, ...folders].some(nameFound);
}

const runners = String.raw`(?:npm|pnpm|yarn|bun)(?:\s+run)?`;
const named = String.raw`[\w:.-]*(?:release|deploy|publish)[\w:.-]*`;

/** Commands that publish. Each begins at the start of a word. */
const commands: readonly RegExp[] = [
  // Registries of packages.
  /(?:npm|pnpm|yarn|bun|deno|jsr|cargo|poetry|uv|flit|hatch|pdm|lerna|vsce|ovsx|maturin|dart\s+pub|flutter\s+pub|pub)\s[^\n;&|]*?\bpublish\b/,
  /yarn\s+npm\s+publish\b/,
  /npm\s+(?:dist-tag|unpublish|deprecate)\b/,
  /cargo\s+(?:release|smart-release|workspaces\s+publish|yank)\b/,
  /release-plz\s+(?:release|update|release-pr)\b/,
  /twine\s+upload\b/,
  /(?:python3?\s+)?setup\.py\s[^\n;&|]*\bupload\b/,
  /gem\s+push\b/,
  /(?:bundle\s+exec\s+)?rake\s+\S*release\b/,
  /(?:mvn|mvnw|\.\/mvnw|mvnd)\s[^\n;&|]*\b(?:deploy|release:perform|release:prepare|jreleaser:\S+|nexus-staging:\S+|central-publishing:\S+)/,
  /(?:gradle|gradlew|\.\/gradlew)\s[^\n;&|]*\b(?:publish(?!ToMavenLocal)\w*|uploadArchives|closeAndRelease\w*|jreleaser\w+)/,
  /sbt\s[^\n;&|]*\b(?:publish(?!Local)\w*|ci-release|release)\b/,
  /(?:dotnet\s+)?nuget\s+push\b/,
  /mix\s+hex\.publish\b/,
  /(?:cabal|stack)\s+upload\b/,
  /pod\s+(?:trunk|repo)\s+push\b/,
  /fastlane\s+\S*(?:release|deploy|deliver|pilot|beta|upload)\w*/,
  /(?:conda|anaconda)\s+upload\b/,
  /luarocks\s+upload\b/,
  /snapcraft\s+(?:upload|push|release)\b/,
  // Releases.
  /gh\s+release\s+(?:create|upload|edit|delete)\b/,
  /gh\s+(?:workflow\s+run|pr\s+merge)\b/,
  /gh\s+api\s[^\n]*\/(?:releases|deployments|dispatches|pages)\b/,
  /goreleaser(?:\s+release\b|\s+publish\b|\s+--(?!version|help)|\s*$)/m,
  /semantic-release\b/,
  /(?:release-it|standard-version|auto\s+shipit|np)\s*(?:$|--|patch|minor|major)/m,
  /changeset\s+(?:publish|tag)\b/,
  /jreleaser\s+\S*release\b/,
  /git\s+(?:-\S+\s+\S+\s+)*push\b/,
  // Images and charts.
  /(?:docker|podman|buildah|nerdctl|crane|oras|helm|skopeo)\s+(?:(?:image|manifest|compose)\s+)?(?:push|copy|sync)\b/,
  /docker\s+(?:buildx|build)\s[^\n;&|]*--push\b/,
  /docker\s+buildx\s[^\n;&|]*(?:type=registry|push=true)/,
  /(?:ko\s+(?:build|apply|publish)|kaniko|jib:build|cosign\s+(?:sign|attest))\b/,
  // Places that serve.
  /kubectl\s+(?:\S+\s+)*?(?:apply|set|rollout|replace|create|patch)\b/,
  /helm\s+(?:upgrade|install|uninstall)\b/,
  /(?:terraform|tofu|terragrunt)\s+(?:\S+\s+)*?(?:apply|destroy)\b/,
  /pulumi\s+(?:up|destroy)\b/,
  /(?:serverless|sls|cdk|sam|firebase|netlify|wrangler|fly|flyctl|mike|mkdocs|copilot|eb|amplify|supabase|railway|gcloud|aws|az|dokku|kamal|now|surge|heroku|convex|sst)\s[^\n;&|]*\b(?:deploy|gh-deploy|deploy-to-\w+|publish|push|up)\b/,
  /vercel(?:\s+(?:deploy|--prod|promote|--token)\b|\s*$)/m,
  /aws\s+s3\s+(?:sync|cp|mv|rm)\b/,
  /(?:gsutil|gcloud\s+storage)\s+(?:-\S+\s+)*(?:cp|rsync|mv|rm)\b/,
  /az\s+storage\s+blob\s+upload\S*/,
  /gh-pages\s+(?:-d|--dist|-r)\b/,
  /(?:rsync|scp|sftp|lftp)\s[^\n;&|]*\S:/,
  /ssh\s+(?:-\S+\s+)*\S+@\S+/,
  /ansible-playbook\b/,
  // Scripts whose names say so.
  new RegExp(String.raw`${runners}\s+${named}(?=\s|$)`),
  new RegExp(String.raw`(?:make|just|task|nox\s+-s|tox\s+-e|invoke|inv|mage)\s+(?:[^\n;&|]*\s)?${named}(?=\s|$)`),
  new RegExp(String.raw`(?:\.{0,2}/)?(?:[\w.-]+/)*${named}\.(?:sh|bash|py|js|mjs|cjs|ts|rb|pl|ps1)(?=\s|$)`),
];
const anchored = commands.map(({ source, flags }) => new RegExp(String.raw`(?:^|[\s;&|("'])(?:${source})`, flags));

/** A rehearsal: it uploads nothing. */
const rehearsals =
  /--dry-?run(?:=(?:true|client|server))?(?=\s|$)|--skip[= ]publish\b|\bgoreleaser\b.*(?:--snapshot\b|\s(?:check|build|healthcheck)\b)|\bdist-tag\s+ls\b/;

/** The command that publishes; null: none was found. Comments count for nothing. */
export function commandFound(script: string): string | null {
  const lines = script
    .slice(0, 20_000)
    .replaceAll(/\\\r?\n/g, " ")
    .split(/\r?\n|&&|\|\||;/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#") && line.length < 2_000);
  for (const line of lines) {
    if (rehearsals.test(line)) continue;
    if (anchored.some((command) => command.test(line))) return line;
  }
  return null;
}
