#!/bin/sh
# Brings the specifications' own tests into a folder and says how to run them: test/specifications/fetch.sh [folder]
set -eu
folder=${1:-"$(dirname "$0")/../../.specifications"}
[ -d "$folder" ] || git clone --depth 1 https://github.com/mongodb/specifications.git "$folder"
echo "TELAMON_SPECIFICATIONS=$(cd "$folder/source" && pwd) npm test -- test/specifications"
