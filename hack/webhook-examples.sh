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
  mkdir -p "$(dirname "$dir")"
  work=$(mktemp -d "$dir.XXXXXX")   # beside it, so that it is there whole or not at all
  trap 'rm -rf "$work"' EXIT   # it is gone when all went well
  npm pack --silent --pack-destination "$work" "@octokit/webhooks-examples@$version" >/dev/null
  echo "$sum  $(echo "$work"/*.tgz)" | sha256sum --check --quiet >&2
  tar -xzf "$work"/*.tgz -C "$work"
  rm -rf "$dir"
  mv -T "$work" "$dir"
fi
echo "$at"
