#!/usr/bin/env bash
# Makes the embedded checkpoint from nothing but packages: `models/embedded/train/train.sh WORK`, on two CPU cores about
# three hours. WORK keeps the pictures, the logs and the half-made networks; a step whose result is there is passed over.
set -euo pipefail
work=$(realpath -m "${1:?where to work}")
cd "$(dirname "$0")"
python=${PYTHON:-../../../.venv/bin/python}
# Photographs that come inside two packages; nothing else of them is used.
mkdir -p "$work"
if [ ! -e "$work/packages" ]; then
    "$python" -m pip install --quiet --no-deps --target "$work/packages.part" scikit-learn==1.9.1 matplotlib==3.11.1
    mv "$work/packages.part" "$work/packages"
fi
export PYTHONPATH="$work/packages"

# step NAME COMMAND...: runs it once.
step() {
    local name=$1
    shift
    if [ -e "$work/$name.done" ]; then return; fi
    echo "$name: $*"
    "$python" -W ignore -u "$@" | tee "$work/$name.log"
    touch "$work/$name.done"
}

networks=(denoiser.py "$work/networks" --autoencoder "$work/autoencoder")
step autoencoder autoencoder.py "$work/autoencoder"
step sharper autoencoder.py "$work/autoencoder" --sharpen 3 --steps 2500 --rate 7e-4 --seed 3
step sharpest autoencoder.py "$work/autoencoder" --sharpen 10 --steps 1500 --rate 7e-4 --seed 4
step pictures-128 pool.py "$work/pictures-128"
step denoiser "${networks[@]}" --pool "$work/pictures-128" --steps 7000 --stop 4500
step clearer "${networks[@]}" --pool "$work/pictures-128" --control --steps 2400 --stop 800 --rate 5e-4 --decoded 8 \
    --weight 1.5 --grain 3 --seed 8
# That ControlNet had hardly begun; it begins anew from the denoiser of now.
if [ ! -e "$work/full-size.done" ]; then rm -rf "$work/networks/controlnet"; fi
step pictures-256 pool.py "$work/pictures-256" --size 256 --sources 1400 --styles 4 --scenes 2400 --seed 300
step full-size "${networks[@]}" --pool "$work/pictures-256" --control --steps 4500 --batch 6 --rate 5e-4 --warm 0.04 \
    --decoded 4 --latent 0.4 --weight 2 --grain 3 --scenes 0.55 --pure 0.5 --seed 9
step decoder decoder.py "$work/networks" "$work/autoencoder" "$work/pictures-256"
step decoder-again decoder.py "$work/networks" "$work/autoencoder" "$work/pictures-256" --sharpen 25 --steps 1200 --seed 12
step decoder-last decoder.py "$work/networks" "$work/autoencoder" "$work/pictures-256" --sharpen 50 --steps 1100 --seed 13
# The second version went on from there, with some styles drawn anew (`log.json` has the seconds that each step took,
# pauses among them).
step pictures-more pool.py "$work/pictures-more" --size 256 --sources 1800 --styles 4 --scenes 3200 --seed 500
lessons=(--control --control-every 3 --batch 8 --rate 5e-4 --warm 0.03 --control-rate 1.5 --decoded 4 --latent 0.5
    --weight 2 --grain 4 --scenes 0.5 --pure 0.65)
step again "${networks[@]}" --pool "$work/pictures-more" "${lessons[@]}" --steps 9000 --stop 3000 --seed 21
step composition "${networks[@]}" --pool "$work/pictures-more" --steps 1500 --batch 20 --rate 7e-4 --decoded 0 --scenes 0.85 \
    --pure 0.7 --seed 22
step together "${networks[@]}" --pool "$work/pictures-more" "${lessons[@]}" --steps 2600 --seed 23
step decoder-again-2 decoder.py "$work/networks" "$work/autoencoder" "$work/pictures-more" --sharpen 40 --steps 1500 --seed 15
"$python" export.py "$work/networks" "$work/autoencoder" ..
