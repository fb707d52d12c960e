#!/usr/bin/env bash
# A worker for Baton's effect protocol in curl, jq and git: claims an attempt, works, keeps the claim, posts a result.
# Usage: worker.sh ORDER COMMAND..., where ORDER is the JSON that Baton hands to workflow_dispatch, and COMMAND an agent:
# it is run in a checkout, with what it is told on standard input, and its output is the answer.
# In a job with `permissions: id-token: write`; elsewhere JOB_TOKEN is the job's token for the audience that ORDER names.
set -euo pipefail
order=$1
shift
endpoint=$(jq -r .endpoint <<<"$order")
base=$(jq -r '"\(.endpoint)/api/v1/effects/\(.run)/\(.effect | @uri)/\(.attempt)"' <<<"$order")
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

# A token lives a few minutes: a fresh one for each request.
token() {
  if [ -n "${JOB_TOKEN:-}" ]; then echo "$JOB_TOKEN"; else
    curl --silent --show-error --fail --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
      "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$endpoint" | jq -r .value
  fi
}
# The body comes by standard input: commits are longer than a command line.
post() {
  curl --silent --show-error --fail-with-body --retry 5 --request POST "$base/$1" \
    --header "Authorization: Bearer $(token)" --header "Content-Type: application/json" --data-binary @-
}

post claim <<<'{}' >"$folder/claim.json"
claim() { jq -r "$1" "$folder/claim.json"; }
epoch=$(claim .epoch)
base_sha=$(claim .spec.effect.baseSha)
start_sha=$(claim .spec.effect.startSha)
echo "Claimed with epoch $epoch: $(claim .spec.effect.role) from $start_sha."
heartbeat() { jq -n --arg note "$1" "{epoch: $epoch, note: \$note}" | post heartbeat; }
heartbeat "A shell script is at work"
echo

# A checkout, with commits that were never pushed; the token is for this and not for the agent.
authorization="Authorization: Basic $(printf 'x-access-token:%s' "$(claim '.spec.git.token // ""')" | base64 | tr -d '\n')"
git init --quiet "$folder/work"
cd "$folder/work"
git -c http.extraHeader="$authorization" fetch --quiet "$(claim .spec.git.url)" '+refs/heads/*:refs/remotes/origin/*'
if [ "$(claim .spec.bundle)" != null ]; then
  claim .spec.bundle.base64 | base64 --decode >"$folder/begin.bundle"
  git fetch --quiet "$folder/begin.bundle" '+refs/*:refs/begin/*'
fi
git checkout --quiet --detach "$start_sha"

{ while sleep $(($(claim .heartbeatMs) / 1000)); do
  if [ "$(heartbeat "Still at work" | jq .cancel)" = true ]; then touch "$folder/cancelled" && kill "$(cat "$folder/agent")"; fi
done } >/dev/null 2>&1 &
claim '.spec.effect.prompt | .system + "\n\n" + .user' >"$folder/prompt"
env --unset=JOB_TOKEN --unset=ACTIONS_ID_TOKEN_REQUEST_TOKEN --unset=ACTIONS_ID_TOKEN_REQUEST_URL --unset=GITHUB_TOKEN \
  "$@" <"$folder/prompt" >"$folder/answer" 2>&1 &
echo $! >"$folder/agent"
if wait $!; then code=null; elif [ -e "$folder/cancelled" ]; then code=BATON_CANCELLED; else code=BATON_HARNESS_CRASHED; fi

# Commits go as a bundle whose one ref is refs/baton/bundles/<head>; a step that only reads brings none.
head=null
bundle=null
if [ "$(claim .spec.effect.access)" = write ] && [ "$(git rev-parse HEAD)" != "$base_sha" ]; then
  head=$(git rev-parse HEAD)
  git update-ref "refs/baton/bundles/$head" "$head"
  git bundle create --quiet "$folder/work.bundle" "refs/baton/bundles/$head" --not "$base_sha"
  base64 <"$folder/work.bundle" | tr -d '\n' >"$folder/work.base64"
  bundle=$(jq -n --arg headSha "$head" '{$headSha}')
fi
touch "$folder/work.base64"
jq -n --argjson epoch "$epoch" --arg code "$code" --arg base "$base_sha" --arg head "$head" --argjson bundle "$bundle" \
  --rawfile text "$folder/answer" --rawfile base64 "$folder/work.base64" '
  (if $head == "null" then null else $head end) as $headSha |
  {
    $epoch,
    bundle: (if $bundle == null then null else $bundle + {$base64} end),
    result: (if $code == "null" then {
      ok: true, usage: [],
      output: {
        harness: "shell", model: "none", $text, sessionId: null, baseSha: $base, $headSha,
        commits: 1, files: [], rescued: false, turns: 1, transcriptId: null, promptId: null
      }
    } else {
      ok: false, usage: [], error: {$code, message: "The command failed."},
      kept: {$headSha, sessionId: null, harness: "shell"}
    } end)
  }' | post result
echo
