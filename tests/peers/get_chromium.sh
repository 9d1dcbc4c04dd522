#!/bin/bash
# Gets a private Chromium into a folder, unless there is one on PATH; touches nothing of the
# host and needs no root.
#
#   get_chromium.sh [DEST]    DEST defaults to $ZVONAR_CHROMIUM, else ~/.cache/zvonar-chromium
#
# Says on stdout which program to start; that is all stdout gets. DEST may be moved and copied.
set -euo pipefail
SAYS="chromium"
# shellcheck source=tests/peers/private_apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/private_apt.sh"

DEST=${1:-${ZVONAR_CHROMIUM:-$HOME/.cache/zvonar-chromium}}

main() {
    if [ "${REUSE_PATH:-1}" = 1 ] && command -v chromium > /dev/null; then
        say "using $(command -v chromium)"
        command -v chromium
        return
    fi
    mkdir -p "$DEST"
    DEST=$(cd "$DEST" && pwd)
    exec 9> "$DEST/.lock"
    flock 9
    if [ -x "$DEST/bin/chromium" ]; then
        say "already there: $DEST"
        echo "$DEST/bin/chromium"
        return
    fi
    scratch=$(mktemp -d "$DEST/.tmp.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    private_apt_begin "$scratch"
    private_apt_find chromium forky sid testing # its headless shell is smaller, and knows no microphone
    private_apt_unpack chromium fonts-dejavu-core
    private_apt_loader
    gather
    "$DEST/bin/chromium" --version > "$scratch/version" 2> /dev/null || { say "it does not start"; exit 1; }
    say "$(cat "$scratch/version") in $DEST ($(du -sm --exclude='.tmp*' "$DEST" | cut -f1) MB)"
    echo "$DEST/bin/chromium"
}

# Chromium looks for its data, and for the program of its child processes, where /proc/self/exe is. That is our
# loader: so the data lies beside it, and the script that starts it is named for the children, which Chromium's zygote
# would not heed.
gather() {
    local program=$ROOT/usr/lib/chromium/chromium
    rm -rf "$DEST"/{bin,lib,fonts}
    mkdir -p "$DEST"/{bin,lib,fonts}
    cp -r "${program%/*}"/. "$DEST/lib/"
    rm -f "$DEST"/lib/{chromium,chrome-sandbox,libVkLayer_khronos_validation.so}
    step "gathering its libraries" private_apt_libraries "$DEST/lib" "$program" "${program%/*}"/*.so "$LIBS"/libnss_*.so.2 \
        "$LIBS"/lib{softokn3,freebl3,freeblpriv3,nssckbi}.so "$LIBS"/nss/*.so
    cp -L "$LIBS"/lib{softokn3,freebl3,freeblpriv3}.so "$LIBS"/nss/*.so "$DEST/lib/" 2> /dev/null || true
    cp "$program" "$DEST/lib/chromium.program"
    cat > "$DEST/fonts.conf" <<'END'
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
END
    find "$ROOT/usr/share/fonts" -name 'DejaVu*.ttf' -exec cp {} "$DEST/fonts/" \;
    cat > "$DEST/bin/chromium" <<'END'
#!/bin/sh
home=$(cd "$(dirname "$0")/.." && pwd -P)
export FONTCONFIG_FILE="$home/fonts.conf"
exec "$home/lib/ld.so" --library-path "$home/lib" "$home/lib/chromium.program" \
    --browser-subprocess-path="$home/bin/chromium" --no-zygote "$@"
END
    chmod +x "$DEST/bin/chromium"
}

main
