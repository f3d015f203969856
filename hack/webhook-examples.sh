#!/usr/bin/env bash
# webhook-examples.sh prints where the webhook bodies lie that GitHub publishes, which it gets once
# with npm. Without npm it prints nothing and fails.
set -euo pipefail
version=7.6.1
sum=89e6cb1c6345d32e3dd775617fa54effbdc26c859e514898d7728e95e9738280
dir=${XDG_CACHE_HOME:-$HOME/.cache}/spock/webhook-examples/$version
at=$dir/package/api.github.com/index.json
if [ ! -e "$at" ]; then
  command -v npm >/dev/null
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  npm pack --silent --pack-destination "$work" "@octokit/webhooks-examples@$version" >/dev/null
  echo "$sum  $(echo "$work"/*.tgz)" | sha256sum --check --quiet >&2
  mkdir -p "$dir"
  tar -xzf "$work"/*.tgz -C "$dir"
fi
echo "$at"
