# docker build -t limn .
# docker build -t limn:cuda --build-arg DEVICE=cuda .
# docker run --rm -p 7860:7860 limn
# docker run --rm -p 7860:7860 --gpus all -v limn-cache:/home/limn/.cache -e LIMN_PIPELINE=img2img limn:cuda
ARG DEVICE=cpu

FROM node:22-bookworm-slim AS frontend
WORKDIR /limn/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend ./
RUN npm run build

FROM rust:1.95-bookworm AS builder
ARG DEVICE
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /limn
# Debian's own versions: what the release carries is what its security updates replace.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends nasm python3 python3-pip \
    && rm -rf /var/lib/apt/lists/*
COPY setup setup
RUN setup/libtorch.sh "$DEVICE"
COPY . .
COPY --from=frontend /limn/frontend/dist frontend/dist
RUN cargo build --release --locked --package limn-server --features embedded
# What the server loads and no more. The wheel's CUDA half is half a gigabyte, and without CUDA nothing loads it; Python's
# half nothing loads ever.
RUN lib=/opt/limn/.libtorch/torch/lib \
    && mkdir -p "$lib" \
    && cp target/release/server /opt/limn/ \
    && cp -a .libtorch/nvidia /opt/limn/.libtorch/ \
    && cp -a .libtorch/torch/lib/. "$lib" \
    && rm -rf "$lib"/libtorch_python.so "$lib"/libshm* \
    && if [ "$DEVICE" = cpu ]; then rm -f "$lib"/lib{torch_cuda*,torch_nvshmem,c10_cuda,caffe2_nvrtc}.so; fi

FROM debian:bookworm-slim AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl ffmpeg libgomp1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 limn \
    && install -d -o limn -g limn /home/limn/.cache /home/limn/keys
COPY --from=builder /opt/limn /opt/limn
COPY LICENSE-MIT LICENSE-APACHE /opt/limn/
# The driver comes from the host: which parts of it the container sees.
ENV PATH=/opt/limn:$PATH \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001
WORKDIR /home/limn
EXPOSE 7860
# With TLS or another port, give `docker run` a --health-cmd of your own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:7860/health"]
# It asks for keys, makes a file of them where there is none, and prints the address that signs an operator in. In a container
# every other machine is outside: without this nobody could reach it but itself.
ENV LIMN_HOST=0.0.0.0 \
    LIMN_AUTH=/home/limn/keys/keys
CMD ["server"]
