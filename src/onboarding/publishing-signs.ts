/**
 * The signs of publishing: words in names, actions and commands that release or deploy. Data, by which `publishing.ts`
 * judges.
 */

/** Words of a name: `publish-packages`, `docsDeploy`, `GH Pages`. */
const nameWords =
  /releas(?:e|es|ed|er|ing)\d*$|deploy|publish|^publication$|^(?:gh)?pages$|^rollout$|^promot(?:e|es|ion)$|^pypi$|^nightlies$|^ship$|^deliver(?:y|s)?$|^distribut(?:e|es|ion)$|^cd$/i;
/** Words that are a sign only together: `push-image`, `docker push`, `go live`. */
const nameGroups =
  /\bpush[-_ ]?(?:to|images?|docker|containers?|tags?|artifacts?|charts?)(?:\b|_)|(?:\b|_)(?:docker|images?|containers?|charts?|git)[-_ ]?push(?:\b|_)|\bgo[-_ ]?live\b|\bnpm[-_ ](?:tags?|dist-tags?)\b|\bfix-npm-tags\b/i;

export function nameFound(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
  // Many projects call their checks "CI/CD". Alone, "CD" is the other half.
  const isBoth = words.some((word) => /^ci$/i.test(word));
  return words.some((word) => nameWords.test(word) && !(isBoth && /^cd$/i.test(word))) || nameGroups.test(name);
}

/** The name of a step is a sentence: "Build the release" builds, but "Release the build" releases. */
export function stepNameFound(name: string): boolean {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const acts = words.some(
    (word) => nameWords.test(word) && !/^(?:pre)?releas(?:e|es|ed)$|^ship$|^(?:gh)?pages$/i.test(word),
  );
  return (
    acts ||
    /^(?:release|ship|push|promote)$/i.test(words[0] ?? "") ||
    /\b(?:create|make|cut|draft|upload|push|and|to)\b.{0,20}\b(?:release|pages|registry|production|staging)\b|\b(?:and|&) push\b/i.test(
      name,
    )
  );
}

/** Secrets that only a publishing job needs. A token that also installs, such as `NPM_TOKEN`, is not a sign. */
const publishingSecrets =
  /^(?:NPM_PUBLISH_TOKEN|PYPI_\w+|TWINE_\w+|CARGO_REGISTRY_TOKEN|CRATES_IO_\w+|RUBYGEMS_\w+|GEM_HOST_API_KEY|NUGET_(?:API_)?KEY|OSSRH_\w+|SONATYPE_\w+|MAVEN_(?:CENTRAL|GPG)_\w+|HEX_API_KEY|VSCE_\w+|OVSX_\w+|CLOUDFLARE_API_TOKEN|NETLIFY_AUTH_TOKEN|VERCEL_TOKEN|FLY_API_TOKEN|HEROKU_API_KEY|KUBE_?CONFIG|AWS_SECRET_ACCESS_KEY|AZURE_CREDENTIALS|AZURE_CLIENT_SECRET|GCP_\w*(?:KEY|CREDENTIALS)|GOOGLE_(?:APPLICATION_)?CREDENTIALS|(?:\w+_)?SSH_(?:PRIVATE_)?KEY|(?:\w+_)?GPG_\w*KEY|(?:\w+_)?SIGNING_KEY)$/i;

/** The secret in an expression of the text that only publishing needs. null: there is none. */
export function secretFound(text: string): string | null {
  if (/\btoJSON\s*\(\s*secrets\s*\)/i.test(text)) return "toJSON(secrets)";
  // Only the run decides which secret this is.
  if (/\bsecrets\s*\[(?!\s*'[A-Za-z_]\w*'\s*\])/i.test(text)) return "secrets[…]";
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
    // Both push what the job changed: https://autofix.ci/ and https://pre-commit.ci/lite.html
    "autofix-ci/action",
    "pre-commit-ci/lite-action",
    "endbug/add-and-commit",
    "peter-evans/create-pull-request",
    "peter-evans/repository-dispatch",
    "anothrnick/github-tag-action",
    "mathieudutour/github-tag-action",
    "rickstaa/action-create-tag",
    "jasonetco/build-and-tag-action",
    "w9jds/firebase-action",
    "jakejarvis/s3-sync-action",
    "benc-uk/workflow-dispatch",
    "r0adkll/upload-google-play",
    "apple-actions/upload-testflight-build",
    "google-github-actions/upload-cloud-storage",
    "azure/aci-deploy",
    // Keys of a cloud.
    "aws-actions/configure-aws-credentials",
    "google-github-actions/auth",
    "azure/login",
  ].map((name) => name.toLowerCase()),
);

/** Whether a step's action publishes with these inputs (names in lower case). */
export function stepActionFound(uses: string, given: Readonly<Record<string, string>>): boolean {
  const name = uses.replace(/@.*$/, "").toLowerCase();
  if (actions.has(name)) return true;
  const [owner, repository = "", ...folders] = name.split("/");
  if (owner === undefined || owner === ".") return false;
  if (uses.startsWith("docker://"))
    return nameFound(uses) || Object.values(given).some((value) => commandFound(value) !== null);
  if (actions.has(`${owner}/${repository}`)) return true;
  const isOn = (value: string | undefined): boolean =>
    value !== undefined && !["", "false"].includes(value.trim().toLowerCase());
  if (/^docker\/(?:build-push|bake)-action$/.test(name))
    return isOn(given["push"]) || /type=registry|push=true|--push/.test(Object.values(given).join("\n"));
  if (name === "goreleaser/goreleaser-action") return commandFound(`goreleaser ${given["args"] ?? "release"}`) !== null;
  if (name === "gradle/gradle-build-action" || name === "borales/actions-yarn")
    return commandFound(`gradle ${given["arguments"] ?? ""}\nyarn ${given["cmd"] ?? ""}`) !== null;
  if (name === "pyo3/maturin-action") return commandFound(`maturin ${given["command"] ?? "build"}`) !== null;
  if ([repository, ...folders].some((part) => nameFound(part) || /(?:^|-)push(?:-|$)/.test(part))) return true;
  return Object.entries(given).some(([key, value]) =>
    commandKeys.test(key) ? commandFound(value) !== null || writesFound.test(value) : knownCommandFound(value) !== null,
  );
}

/** Inputs that an action runs. Other inputs do not count: an artifact may have "release" in its name and publish nothing. */
const commandKeys = /command|cmd|args|arguments|script|^run|exec|inline|goals?$|tasks?$/;
/** Writes through `actions/github-script`: https://github.com/actions/github-script. */
const writesFound =
  /\b(?:createRelease|updateRelease|uploadReleaseAsset|createDeployment\w*|createRef|updateRef|createTag|createCommit|createOrUpdateFileContents|createWorkflowDispatch|createDispatchEvent|enableAutoMerge|createPagesDeployment)\b|\bpulls\.merge\b|\brepos\.merge\b|\brequest\(\s*["'`](?:POST|PUT|PATCH|DELETE)\b/;

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
  // Services that run programs or serve pages.
  /kubectl\s+(?:\S+\s+)*?(?:apply|set|rollout|replace|create|patch|delete|run|exec|scale|label|annotate|edit|drain|cp)\b/,
  /helm\s+(?:upgrade|install|uninstall|rollback)\b/,
  /(?:terraform|tofu|terragrunt)\s+(?:\S+\s+)*?(?:apply|destroy|import)\b/,
  /pulumi\s+(?:up|destroy)\b/,
  /(?:serverless|sls|cdk|sam|firebase|netlify|wrangler|fly|flyctl|mike|mkdocs|copilot|eb|amplify|supabase|railway|gcloud|aws|az|dokku|kamal|now|surge|heroku|convex|sst)\s[^\n;&|]*\b(?:deploy|gh-deploy|deploy-to-\w+|publish|push|up)\b/,
  /vercel(?:\s+(?:deploy|--prod|promote|--token)\b|\s*$)/m,
  /aws\s+s3\s+(?:sync|cp|mv|rm)\b/,
  /(?:gsutil|gcloud\s+storage)\s+(?:-\S+\s+)*(?:cp|rsync|mv|rm)\b/,
  /az\s+storage\s+blob\s+upload\S*/,
  /gh-pages\s+(?:-d|--dist|-r)\b/,
  /(?:rsync|scp|sftp|lftp)\s[^\n;&|]*\S:/,
  /ssh\s+(?!-V\b)\S/,
  /ansible-playbook\b/,
  // These commands replace a live service without a word that says so.
  /aws\s+(?:\S+\s+){0,6}?(?:update|create|put|delete|publish|send|start|run|register|copy)-[a-z][\w-]*/,
  /gcloud\s[^\n;&|]*\b(?:builds\s+submit|services\s+replace|update-traffic|jobs\s+(?:update|execute)|import)\b/,
  /az\s[^\n;&|]*\b(?:deployment|acr\s+build|webapp\s+up|containerapp\s+(?:up|update|create))\b/,
  /oc\s+(?:\S+\s+){0,6}?(?:apply|set|rollout|replace|create|patch|start-build)\b/,
  /helmfile\s[^\n;&|]*\b(?:apply|sync|destroy)\b/,
  /(?:argocd\s+app\s+(?:sync|set|create)|nomad\s+job\s+run|skaffold\s+run|dist\s+host|flux\s+reconcile)\b/,
  /eas\s+(?:submit|update|build\s[^\n;&|]*--auto-submit)\b/,
  /(?:jf|jfrog)\s+(?:rt\s+)?u(?:pload)?\b/,
  /(?:rclone|azcopy|s3cmd|s5cmd|mc)\s+(?:-\S+\s+)*(?:copy|copyto|sync|move|moveto|put|cp|mv|mirror)\b/,
  /curl\s(?![^\n]*(?:localhost|127\.0\.0\.1))[^\n;&|]*(?:(?<=\s)-T\b|--upload-file\b|(?:-X|--request)[ =]?["']?(?:POST|PUT|PATCH|DELETE)\b)/,
  /(?:gradle|gradlew|\.\/gradlew)\s[^\n;&|]*\b(?:jib|dockerPush\w*|bintrayUpload|publishPlugins|githubRelease)(?=\s|$)/,
  /(?:lerna\s+version|npm\s+version[^\n]*--workspaces-update)\b/,
  /git\s+subtree\s+push\b/,
  /\S+\s[^\n;&|]*--push(?=\s|$)/,
  /curl\s(?![^\n]*(?:localhost|127\.0\.0\.1))[^\n;&|]*(?<=\s)(?:-d|-F|--data(?:-\w+)?|--form|--json)[\s=]/,
  /wget\s[^\n;&|]*--post-(?:file|data)/,
  /https?\s+(?:POST|PUT|PATCH|DELETE)\s/,
  /(?:sftp|ncftpput|lftp)\s+\S/,
  /npm\s+pub\b/,
  /\S+\s[^\n;&|]*(?:\s-t|--targets?)[\s=](?:deploy|publish|release)\b/,
  /\S+\s[^\n;&|]*--publish(?=\s|$)/,
  /cl(?:j|ojure)\s[^\n;&|]*:(?:deploy|publish|release)/,
  /(?:cargo\s+dist|maturin|pixi|b2|swift|ossutil|coscmd|nexus|wrangler\s+versions)\s+(?:upload(?:-file)?|cp)\b/,
  /(?:crane\s+tag|regctl\s+image\s+copy|jf\s+rt\s+bp|azd\s+(?:up|provision)|waypoint\s+up|werf\s+(?:converge|bundle)|tilt\s+ci|bit\s+export|hexo\s+d)\b/,
  /(?:dokku\s+git:\S+|doctl\s+\S+\s+create\S*|ghp-import|steamcmd|wingetcreate\s+submit|brew\s+bump-\S+|pkg\.pr\.new|pkg-pr-new|surge|angular-cli-ghpages|gatsby-plugin-s3|conventional-github-releaser|fullrelease|ghr)(?=\s|$)/,
  /(?:sentry-cli|@sentry\/cli)\s[^\n;&|]*\breleases\b/,
  /firebase\s[^\n;&|]*\bdistribute\b/,
  /gcloud\s+compute\s+ssh\b/,
  /mill\s[^\n;&|]*publish\w*/i,
  /make\s+(?:[^\n;&|]*\s)?(?:[\w-]+-)?upload(?=\s|$)/,
  /Rscript\s[^\n]*deploy\w*/i,
  /(?:publish-(?:module|script|psresource)|msbuild\b[^\n;&|]*[/-]t(?:arget)?:(?:\w+;)*(?:publish|deploy))\b/i,
  /dotnet\s+publish\s[^\n;&|]*(?:PublishProfile|PublishContainer|ContainerRegistry)/i,
  /gh\s+(?:api\s+graphql\s[^\n]*mutation|(?:secret|variable)\s+set|repo\s+(?:edit|sync|deploy-key))\b/,
  /(?:git\s+(?:send-pack|http-push)|jj\s+git\s+push|svn\s+commit|osc\s+commit|copr(?:-cli)?\s+build|dput)\b/,
  /wrangler\s[^\n;&|]*\b(?:put|delete|rollback)\b/,
  /(?:docker\s+buildx\s+imagetools\s+create|crane\s+append|nix\s+copy\s[^\n;&|]*--to)\b/,
  /vercel(?:@\S+)?(?:\s+--prod|\s*$)/m,
  /(?:now|up|apex|claudia|zappa)\s+(?:--prod|update|deploy)\b/,
  /(?:eksctl\s+(?:create|delete|upgrade)|az\s+aks\s+get-credentials|gcloud\s+container\s+clusters\s+get-credentials|aws\s+eks\s+update-kubeconfig)\b/,
  /(?:conan|cpan-upload|raku|fez)\s+upload\b|cpan-upload\b/,
  /xcrun\s+(?:altool|notarytool)\b/,
  /earthly\s[^\n;&|]*\+(?:deploy|publish|release|push)\w*/,
  // Scripts with a telling name.
  new RegExp(String.raw`${runners}\s+${named}(?=\s|$)`),
  new RegExp(String.raw`(?:make|just|task|nox\s+-s|tox\s+-e|invoke|inv|mage)\s+(?:[^\n;&|]*\s)?${named}(?=\s|$)`),
  new RegExp(String.raw`(?:\.{0,2}/)?(?:[\w.-]+/)*${named}\.(?:sh|bash|py|js|mjs|cjs|ts|rb|pl|ps1)(?=\s|$)`),
];
const anchored = commands.map(({ source, flags }) => new RegExp(String.raw`(?:^|[\s;&|("'])(?:${source})`, flags));

/** A rehearsal: it uploads nothing. */
const rehearsals =
  /--dry-?run(?:=(?:true|client|server))?(?=\s|$)|--skip[= ]publish\b|\bgoreleaser\b.*(?:--snapshot\b|\s(?:check|build|healthcheck)\b)|\bdist-tag\s+ls\b/;

/** Commands that read, build or test what they name. */
const harmless =
  /^dotnet\s+publish(?=\s|$)|^(?:(?:sudo|time|env|npx|bunx|yarn|pnpm|npm|bun|poetry|uv|pipenv|hatch|bundle|python3?|go|cargo|dotnet|docker|mvn|\.\/mvnw|xcodebuild|swift|cmake)\s+(?:(?:run|exec|-m|dlx)\s+)?)?(?:echo|printf|cd|pushd|ls|cat|mkdir|rm|cp|mv|test|tests|build|check|clippy|vet|doc|lint|format|fmt|ci|install|add|restore|\[|grep|rg|find|chmod|export|pip3?|apt|apt-get|brew|git|pytest|jest|vitest|mocha|eslint|prettier|biome|ruff|black|mypy|pyright|tsc|shellcheck|yamllint|hadolint|actionlint|cypress|playwright|codecov|tar|zip|unzip|ctest|ninja|meson)(?=\s|$)/;
const optionsWithMode =
  /^(?:-c|-C|-P|--config|--configuration|-configuration|--profile|--mode|--preset|--flavor|--buildtype|--build-type|--env|--target|-t|-f|--file|--tag)$/;
/** `deploy`, `docker-push`, `publish_image`, `web:deploy`, `.#release`, `//:push_image`. */
const publishingWord =
  /^(?:[\w.]+[-_.])?(?:deploy|release|publish|push|ship|promote)(?:[-_.][\w.]+)*(?:\.(?:sh|bash|py|js|mjs|cjs|ts|rb|pl|ps1))?$/;

/** True for a bare word, or for the end of a path or target, that says so. A program behind such a word may publish. */
function wordFound(line: string): boolean {
  const words = line
    .replaceAll(/["'`()]/g, " ")
    .trim()
    .split(/\s+/);
  const from = words.findIndex((word) => !/^\w+=/.test(word));
  if (from === -1 || harmless.test(words.slice(from).join(" "))) return false;
  return words.some((word, index) => {
    if (word.startsWith("-") || optionsWithMode.test(words[index - 1] ?? "")) return false;
    if (/(?:^|\/)(?:target|build|out|bin|dist)\//.test(word)) return false;
    return publishingWord.test(word.split(/[/:#]/).at(-1) ?? "");
  });
}

/** The command that publishes. null: none was found. Comments do not count. A text that is too long to read counts. */
export function commandFound(script: string): string | null {
  const found = linesOf(script).find((line) => line.length > lineMax || isKnown(line) || wordFound(line));
  if (found !== undefined) return found;
  return script.length > scriptMax ? `${script.trimStart().slice(0, 40)} … (too long to read)` : null;
}

/** The same search for the well-known commands alone, in a text that may not be a command. */
function knownCommandFound(text: string): string | null {
  return linesOf(text).find((line) => line.length <= lineMax && isKnown(line)) ?? null;
}

function isKnown(line: string): boolean {
  return anchored.some((command) => command.test(line));
}

const scriptMax = 20_000;
const lineMax = 2_000;

/** Commands, each by itself, so that a rehearsal of one says nothing about the next. */
function linesOf(script: string): string[] {
  return script
    .slice(0, scriptMax)
    .replaceAll(/\\\r?\n/g, " ")
    .split(/\r\n?|\n|&&|\|\|?|;|\s&(?=\s)/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#") && !rehearsals.test(line.replace(/\s#.*$/, "")));
}

/** True if there is no pull request: only pull requests have these fields, and their ref is not a branch. */
const pullFields = String.raw`github\s*\.\s*(?:event\s*\.\s*(?:pull_request(?!\s*\.\s*draft)(?:\s*\.\s*\w+)*|number|action|merge_group)|head_ref|base_ref)\b`;
const withoutPull = new RegExp(
  [
    String.raw`!\s*\(?\s*${pullFields}`,
    String.raw`${pullFields}\s*==\s*(?:''|null|false|0)`,
    String.raw`(?:''|null|false|0)\s*==\s*${pullFields}`,
    String.raw`!\s*(?:startsWith|contains)\s*\(\s*github\s*\.\s*ref\b[^)]{0,40}pull`,
    String.raw`(?<!!\s{0,5})startsWith\s*\(\s*github\s*\.\s*ref\s*,\s*'refs/heads/?'`,
  ].join("|"),
  "i",
);

/** True for a script that reads which event started it. */
export function asksHowStarted(script: string): boolean {
  return /\bGITHUB_EVENT_NAME\b[^\n]{0,40}(?:workflow_dispatch|!=|-ne\b)|workflow_dispatch[^\n]{0,40}\bGITHUB_EVENT_NAME\b/.test(
    script,
  );
}

/**
 * True for a condition that may allow jobs only for a start by hand:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/contexts.
 */
export function startedByHand(condition: string, { inAction = false } = {}): boolean {
  // Inputs of an action come from the step that uses it.
  if (!inAction && /(?<![\w.])inputs\b/i.test(condition)) return true;
  if (/\bgithub\s*\.\s*event\s*\.\s*inputs\b/i.test(condition)) return true;
  if (withoutPull.test(condition)) return true;
  const names = condition.match(/\bgithub\s*(?:\.\s*event_name|\[\s*'event_name'\s*\])/gi)?.length ?? 0;
  // Only these conditions surely exclude a start by hand.
  const others = condition.match(
    /\bgithub\s*(?:\.\s*event_name|\[\s*'event_name'\s*\])\s*(?:==\s*'(?!workflow_dispatch')\w+'|!=\s*'workflow_dispatch')/gi,
  );
  return names > (others?.length ?? 0);
}

/** True for a condition that surely excludes a start by hand. Another part may only narrow it. */
export function onlyForPulls(condition: unknown): boolean {
  if (typeof condition !== "string" || condition.includes("||")) return false;
  return /^\s*(?:\$\{\{)?\s*github\s*\.\s*event_name\s*==\s*'pull_request'\s*(?:&&[\s\S]*|\}\}\s*)?$/i.test(condition);
}
