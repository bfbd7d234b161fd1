#!/usr/bin/env bash
# The system's packages: `setup/system.sh build|test`.
#
# What is missing is found by looking for the tool and not for the package, so that a compiler or a browser that came
# another way counts. Only if something is missing is apt called, and only if it may: as root or by a sudo that asks
# for no password. Else the line to run is printed.
set -euo pipefail

purpose=${1:?usage: setup/system.sh build|test}
packages=()

# need PACKAGE TOOL...: PACKAGE is missing unless one of the tools is here.
need() {
    local package=$1 tool
    shift
    for tool in "$@"; do
        if command -v "$tool" >/dev/null; then return; fi
    done
    packages+=("$package")
}

# need_module PACKAGE MODULE: PACKAGE is missing unless Python has the module.
need_module() {
    if ! python3 -c "import $2" 2>/dev/null; then packages+=("$1"); fi
}

# A browser or a camera clip is for the tests alone; everything else for both.
need build-essential c++
need pkg-config pkg-config
# Without an assembler mozjpeg builds too, and encodes at a third of the speed.
need nasm nasm
need python3 python3
need_module python3-pip pip
need_module python3-venv ensurepip
if [ "$purpose" = test ]; then
    need chromium chromium chromium-browser google-chrome google-chrome-stable
    need firefox-esr firefox-esr firefox
    need ffmpeg ffmpeg
    need curl curl
    need ustreamer ustreamer
    need openssl openssl
    # A network that loses packets, and a clock that jumps.
    need nftables nft /usr/sbin/nft
    need faketime faketime
    # Debian puts it where only root looks.
    need nginx-light nginx /usr/sbin/nginx
    # The program, and what it reads and shows with.
    need vlc-bin cvlc
    need vlc-plugin-base cvlc
    # An RTSP camera: GStreamer's own server, and the bindings of the system's Python.
    if ! /usr/bin/python3 -c "import gi; gi.require_version('GstRtspServer', '1.0')" 2>/dev/null; then
        packages+=(gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly)
    fi
fi

if [ ${#packages[@]} -eq 0 ]; then exit; fi

if ! command -v apt-get >/dev/null; then
    echo "limn needs what Debian calls \`${packages[*]}\`; install that with this system's package manager" >&2
    exit 1
fi

install=(apt-get install -y --no-install-recommends "${packages[@]}")
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
else
    echo "limn needs packages that are not here, and apt needs root. Run this line, then try again:" >&2
    echo "  sudo apt-get update && sudo ${install[*]}" >&2
    exit 1
fi
echo "installing ${packages[*]} by apt"
"${as_root[@]}" apt-get update
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive "${install[@]}"
