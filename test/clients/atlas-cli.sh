#!/usr/bin/env bash
# The Atlas CLI, unchanged (1.51.2 is the last with serverless writes), against a running Telamon with its demo.
# ATLAS: the binary. TELAMON_CREDENTIALS: path of credentials.json. Once with the API key, once with the service account.
set -uo pipefail
read_credential() { node -p "require('$TELAMON_CREDENTIALS').$1"; }
GROUP=$(read_credential groupId)
INSTANCE=$(read_credential demo.instance)
HOME=$(mktemp -d); export HOME
trap 'rm -rf "$HOME"' EXIT
export MONGODB_ATLAS_OPS_MANAGER_URL="$(read_credential baseUrl)/" MONGODB_ATLAS_SKIP_UPDATE_CHECK=yes MONGODB_ATLAS_TELEMETRY_ENABLED=false MONGODB_ATLAS_PROJECT_ID="$GROUP"
failed=0
expect() { # name, pattern, command...
  local name=$1 pattern=$2; shift 2
  local output status; output=$("$@" 2>&1); status=$?
  if [ -n "$pattern" ] && [ $status -eq 0 ] && grep -qE "$pattern" <<<"$output"; then echo "ok $name"; else echo "FAIL $name: $output"; failed=1; fi
}
run() {
  local name="Cli$1$RANDOM"
  # Before the operation IDs were renamed in 2025 the command had its old name.
  local list=listServerlessBackupSnapshots
  "$ATLAS" api cloudBackups --help 2>&1 | grep -q "$list" || list=listServerlessBackups
  expect "$1: atlas api cloudBackups $list" '"status": ?"completed"' "$ATLAS" api cloudBackups "$list" --groupId "$GROUP" --clusterName "$INSTANCE"
  expect "$1: serverless list" "$INSTANCE" "$ATLAS" serverless list
  expect "$1: serverless describe" "IDLE" "$ATLAS" serverless describe "$INSTANCE"
  expect "$1: backups snapshots list" "completed" "$ATLAS" serverless backups snapshots list "$INSTANCE"
  expect "$1: serverless create" "created" "$ATLAS" serverless create "$name" --provider AWS --region US_EAST_1
  expect "$1: serverless watch" "available|reached|created" "$ATLAS" serverless watch "$name"
  local snapshot; snapshot=$("$ATLAS" serverless backups snapshots list "$INSTANCE" -o json | node -p 'JSON.parse(require("fs").readFileSync(0)).results[0].id')
  expect "$1: backups snapshots describe" "$snapshot" "$ATLAS" serverless backups snapshots describe --snapshotId "$snapshot" --clusterName "$INSTANCE"
  expect "$1: backups restores create" "[0-9a-f]{24}" "$ATLAS" serverless backups restores create --deliveryType automated --clusterName "$INSTANCE" --snapshotId "$snapshot" --targetClusterName "$name" --targetProjectId "$GROUP"
  expect "$1: backups restores list" "automated|$snapshot" "$ATLAS" serverless backups restores list "$INSTANCE"
  sleep 2
  expect "$1: serverless delete" "deleted|delet" "$ATLAS" serverless delete "$name" --force
  expect "$1: projects list" "$GROUP" "$ATLAS" projects list
}
# The schedule of a deployment that runs elsewhere, for which the demo's own database stands: to the CLI it is a cluster.
schedule() {
  local name="Elsewhere$1$RANDOM" schedule policy item
  curl -fsS --digest --user "$(read_credential apiKey.publicKey):$(read_credential apiKey.privateKey)" -H 'Accept: application/vnd.atlas.2023-01-01+json' -H 'Content-Type: application/json' \
    -d "{\"name\":\"$name\",\"connectionString\":\"$(read_credential demo.connectionString)\"}" "$(read_credential baseUrl)/api/telamon/v1/groups/$GROUP/externalDeployments" >/dev/null || { echo "FAIL $1: attach"; failed=1; return; }
  expect "$1: backups schedule describe" "40 +monthly +12" "$ATLAS" backups schedule describe "$name"
  schedule=$("$ATLAS" backups schedule describe "$name" -o json)
  policy=$(node -p 'JSON.parse(require("fs").readFileSync(0)).policies[0].id' <<<"$schedule")
  item=$(node -p 'JSON.parse(require("fs").readFileSync(0)).policies[0].policyItems[0].id' <<<"$schedule")
  expect "$1: backups schedule update" "updated" "$ATLAS" backups schedule update --clusterName "$name" --policy "$policy,$item,hourly,12,days,9" --referenceHourOfDay 4 --updateSnapshots
  expect "$1: backups schedule describe again" "12 +hourly +9 +days" "$ATLAS" backups schedule describe "$name"
  expect "$1: backups schedule delete" "deleted" "$ATLAS" backups schedule delete "$name" --force
}
export MONGODB_ATLAS_PUBLIC_API_KEY=$(read_credential apiKey.publicKey) MONGODB_ATLAS_PRIVATE_API_KEY=$(read_credential apiKey.privateKey)
run Key
schedule Key
unset MONGODB_ATLAS_PUBLIC_API_KEY MONGODB_ATLAS_PRIVATE_API_KEY
if ! "$ATLAS" auth login --help 2>&1 | grep -qi "service account\|ServiceAccount"; then
  echo "this CLI knows no service accounts (they came with 1.47): only the API key was tried"
  exit $failed
fi
export MONGODB_ATLAS_CLIENT_ID=$(read_credential serviceAccount.clientId) MONGODB_ATLAS_CLIENT_SECRET=$(read_credential serviceAccount.clientSecret)
run Account
schedule Account
exit $failed
