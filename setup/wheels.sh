#!/usr/bin/env bash
# Unpacks wheels from PyPI into a folder, whole or not at all: `setup/wheels.sh FOLDER PIP-ARGUMENTS...`.
#
# For things that are no Python (libtorch, Node) and come as wheels all the same, so neither the age of this machine's
# Python nor a rule against installing into it matters. An interrupted download leaves FOLDER as it was.
set -euo pipefail

folder=${1:?usage: setup/wheels.sh FOLDER PIP-ARGUMENTS...}
shift
rm -rf "$folder.part"
# PIP_USER: a user's own `user = true` and `--target` exclude each other.
# --python-version: which Python a wheel is for is of no interest, and an old or a very new one has no wheel.
PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-deps --no-compile \
    --only-binary :all: --python-version 3.12 --target "$folder.part" "$@"
rm -rf "$folder"
mv "$folder.part" "$folder"
