#!/usr/bin/env bash
# The Python of the tests and of the embedded checkpoint's training, in `.venv`, exactly as tests/requirements.txt pins it.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=tests/requirements.txt
# A copy of what was installed last, written when all of it was.
installed=.venv/requirements.txt

if cmp -s "$wanted" "$installed" && .venv/bin/python -c ''; then exit; fi

# The pinned numpy and torch have wheels for these and no others.
fits='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 15))'
for python in python3 python3.13 python3.12 python3.11 python3.14; do
    if "$python" -c "$fits" 2>/dev/null; then break; fi
    python=
done
if [ -z "$python" ]; then
    echo "limn needs a Python from 3.11 to 3.14 with the modules venv and ensurepip, and found $(python3 --version 2>&1 || true)" >&2
    echo "On Debian and Ubuntu run this line, with the newest such version they have, then try again:" >&2
    echo "  sudo apt-get install -y --no-install-recommends python3.12 python3.12-venv" >&2
    exit 1
fi

echo "installing the tests' Python packages into .venv"
rm -f "$installed"
if ! .venv/bin/python -c "$fits" 2>/dev/null; then "$python" -m venv --clear .venv; fi
# --no-deps: the list is complete, and torch would ask for triton, which only its compiler uses.
PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet --no-deps -r "$wanted"
cp "$wanted" "$installed"
