#!/usr/bin/env bash
# libtorch in `.libtorch`: `setup/libtorch.sh [cpu|cuda]`. Without an argument the machine decides: CUDA where it has an
# NVIDIA driver. A LIBTORCH of the user's own is taken as it is. Nothing is installed system-wide.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.11.0

driver() {
    [ -e /proc/driver/nvidia/version ] || nvidia-smi -L >/dev/null 2>&1 || { ldconfig -p 2>/dev/null || true; } | grep -q 'libcuda\.so\.1'
}

# found FOLDER: whether it holds this version of libtorch, by the file that the wheel writes it in.
found() {
    grep -qs "^__version__ = '$version" "$1/torch/version.py" && compgen -G "$1/torch/lib/libtorch_cpu.*" >/dev/null
}

has_cuda() {
    compgen -G "$1/nvidia/cudnn/lib/libcudnn.so.*" >/dev/null
}

if [ -n "${LIBTORCH-}" ]; then
    if compgen -G "$LIBTORCH/lib/libtorch_cpu.*" >/dev/null; then exit; fi
    echo "LIBTORCH has no lib/libtorch_cpu: \`$LIBTORCH\`" >&2
    exit 1
fi

device=${1:-$(if driver; then echo cuda; else echo cpu; fi)}
# One with CUDA serves a machine without a driver as well.
if found .libtorch && { [ "$device" = cpu ] || has_cuda .libtorch; }; then exit; fi

# The tests' Python has the same libraries. They are linked and not loaded a second time; a hard link stays whole when
# the other name goes.
for packages in .venv/lib/python3*/site-packages; do
    if found "$packages" && { [ "$device" = cpu ] || has_cuda "$packages"; }; then
        echo "taking libtorch $version from .venv"
        rm -rf .libtorch.part
        mkdir .libtorch.part
        cp -al "$packages/torch" "$packages/nvidia" .libtorch.part 2>/dev/null ||
            cp -a "$packages/torch" "$packages/nvidia" .libtorch.part
        rm -rf .libtorch
        mv .libtorch.part .libtorch
        exit
    fi
done

echo "installing libtorch $version ($device) into .libtorch"
setup/wheels.sh .libtorch -r "setup/libtorch-$device.txt"
