#!/bin/sh
# One picture in, one out: examples/paint.sh photo.jpg "oil painting" painted.jpg
set -eu
curl --silent --show-error --fail-with-body --output "$3" \
    --url "${LIMN:-http://127.0.0.1:7860}/api/generate" --url-query "row=img2img" --url-query "prompt=$2" --data-binary "@$1"
