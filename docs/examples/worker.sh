#!/usr/bin/env bash
# A worker for Baton's effect protocol in curl alone: claims an attempt, keeps it, posts a result.
# Usage: worker.sh ORDER, where ORDER is the JSON that Baton hands to workflow_dispatch.
# Environment: JOB_TOKEN, the job's OIDC token for the audience that ORDER names as its endpoint.
set -euo pipefail
field() { sed -E "s/.*\"$1\":\"?([^\",}]*)\"?.*/\1/" <<<"$2"; }
order=$1
base="$(field endpoint "$order")/api/v1/effects/$(field run "$order")/$(field effect "$order")/$(field attempt "$order")"
post() {
  curl --silent --show-error --fail-with-body --request POST "$base/$1" \
    --header "Authorization: Bearer $JOB_TOKEN" --header "Content-Type: application/json" --data "$2"
}

claim=$(post claim '{}')
epoch=$(sed -E 's/^\{"epoch":([0-9]+).*/\1/' <<<"$claim")
echo "Claimed with epoch $epoch."
post heartbeat "{\"epoch\":$epoch,\"note\":\"A shell script is at work\"}"
echo
# An agent would work here, with a heartbeat every few seconds. This one only plans.
output='{"harness":"shell","model":"none","text":"A plan, by a shell script.","sessionId":null,"baseSha":"'$BASE_SHA'","headSha":null,"commits":0,"files":[],"rescued":false,"turns":1,"transcriptId":null,"promptId":null}'
post result "{\"epoch\":$epoch,\"result\":{\"ok\":true,\"usage\":[],\"output\":$output}}"
echo
