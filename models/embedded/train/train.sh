#!/usr/bin/env bash
# Makes the embedded checkpoint from nothing but packages: `models/embedded/train/train.sh WORK`, on two CPU cores about
# five hours. WORK keeps the pictures, the logs and the half-made networks; a step whose result is there is passed over.
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
# The third version: one more, coarser level, for pictures from words alone; oil and watercolour drawn anew. Which colour of a
# sentence belongs where is learnt in a few minutes on small pictures of nothing else, and hardly at all among everything.
step pictures-last pool.py "$work/pictures-last" --size 256 --sources 1800 --styles 4 --scenes 12000 --seed 500
step pictures-simple pool.py "$work/pictures-simple" --size 128 --sources 20 --styles 1 --scenes 12000 --simple --seed 850
step deeper deepen.py "$work/networks"
latents=(--decoded 0 --batch 24)
step deeper-again "${networks[@]}" --pool "$work/pictures-last" "${latents[@]}" --steps 3000 --stop 1000 --rate 8e-4 --scenes 0.62 \
    --pure 0.75 --seed 31
step grounds "${networks[@]}" --pool "$work/pictures-last" "${latents[@]}" --steps 2600 --stop 900 --rate 1e-3 --warm 0.04 \
    --scenes 0.9 --pure 0.85 --seed 33 --average 0.995
step shapes "${networks[@]}" --pool "$work/pictures-simple" --decoded 0 --batch 32 --steps 1000 --rate 1e-3 --scenes 1 --pure 0.85 \
    --seed 34 --average 0.99
step scenes "${networks[@]}" --pool "$work/pictures-last" "${latents[@]}" --steps 1200 --rate 8e-4 --scenes 0.8 --pure 0.8 --seed 35 \
    --average 0.99
step together-again "${networks[@]}" --pool "$work/pictures-last" "${lessons[@]}" --relief 4 --pure 0.75 --steps 3000 --seed 32
step decoder-again-3 decoder.py "$work/networks" "$work/autoencoder" "$work/pictures-last" --sharpen 40 --steps 1500 --seed 16
step edges "${networks[@]}" --pool "$work/pictures-last" --control --control-every 2 --batch 8 --steps 700 --rate 3e-4 --warm 0.05 \
    --control-rate 2.5 --decoded 4 --latent 0.4 --weight 2 --grain 10 --relief 10 --scenes 0.45 --pure 0.75 --seed 36
step decoder-again-4 decoder.py "$work/networks" "$work/autoencoder" "$work/pictures-last" --sharpen 80 --steps 1200 --seed 17
"$python" export.py "$work/networks" "$work/autoencoder" ..
