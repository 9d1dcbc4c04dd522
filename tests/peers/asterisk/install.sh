#!/bin/bash
# Gets a private, relocatable Asterisk into a folder; touches nothing of the host system and needs no root.
#
#   install.sh [DEST]     DEST defaults to $ZVONAR_ASTERISK, else ~/.cache/zvonar-asterisk
#
# An Asterisk on PATH is used where there is one (REUSE_PATH=0 ignores it); else it is unpacked from the first suite
# of the configured mirror that has it ($SUITES). DEST/env, when it is there, is complete; it sets AST_BIN (a bash
# array: the program and how it is loaded), AST_MODDIR, AST_DATADIR, AST_VERSION.
set -euo pipefail
SAYS="asterisk"
# shellcheck source=tests/peers/private_apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/../private_apt.sh"

DEST=${1:-${ZVONAR_ASTERISK:-$HOME/.cache/zvonar-asterisk}}
SUITES=${SUITES:-forky sid testing bullseye}
SOUNDS="asterisk-core-sounds-en-gsm asterisk-core-sounds-en-wav asterisk-core-sounds-ru-wav"

# Modules that no SIP test bed uses, and with them most of the libraries.
UNUSED='*odbc* *pgsql* *ldap* *mysql* *radius* *tds* *snmp* *calendar* *xmpp* *motif* *lua* *corosync* *codec2* *amr*
    *unbound* *dundi* *phoneprov* *adsi* *enum* *geolocation* *stir_shaken* *http_media_cache* *speex* *lpc10* *dahdi*
    *misdn* *test* chan_console* chan_unistim* chan_iax2* chan_mgcp* chan_skinny* chan_oss* chan_alsa* chan_phone*
    app_jack* app_mp3* app_festival* app_minivm* app_voicemail* app_ices* app_nbscat* app_sms* app_sla* res_smdi*
    res_config_* func_iconv*'

main() {
    mkdir -p "$DEST"
    DEST=$(cd "$DEST" && pwd)
    exec 9> "$DEST/.lock"
    flock 9 # two test runs at once: the second one finds it installed
    if [ -r "$DEST/env" ]; then
        say "already there: $DEST"
        return
    fi
    if [ "${REUSE_PATH:-1}" = 1 ] && use_installed; then return; fi
    scratch=$(mktemp -d "$DEST/.tmp.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    private_apt_begin "$scratch"
    # shellcheck disable=SC2086  # words on purpose
    private_apt_find asterisk $SUITES
    local packages=(asterisk asterisk-modules) package
    for package in $SOUNDS; do
        if private_apt_has "$package"; then packages+=("$package"); else say "no package $package, left out"; fi
    done
    private_apt_unpack "${packages[@]}"
    private_apt_loader
    keep_what_is_used
    link_languages
    write_env
}

use_installed() {
    local program moddir datadir=/usr/share/asterisk conf
    program=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v asterisk) || return 1
    for conf in /etc/asterisk/asterisk.conf /usr/local/etc/asterisk/asterisk.conf; do
        if [ -r "$conf" ]; then moddir=$(sed -n 's/^ *astmoddir *=>\{0,1\} *//p' "$conf" | tail -1); break; fi
    done
    [ -d "${moddir:-}" ] ||
        moddir=$(find /usr/lib /usr/local/lib -type d -path '*asterisk/modules' -print -quit 2>/dev/null)
    [ -d "$datadir/documentation" ] || datadir=/var/lib/asterisk
    {
        echo "AST_BIN=($program)"
        echo "AST_MODDIR=$moddir"
        echo "AST_DATADIR=$datadir"
        echo "AST_VERSION='$("$program" -V)'"
    } > "$DEST/env"
    say "using $program"
}

keep_what_is_used() {
    local modules keep=$scratch/keep file
    modules=$(find "$ROOT"/usr/lib -type d -path '*asterisk/modules' -print -quit)
    # shellcheck disable=SC2086  # patterns on purpose
    (cd "$modules" && rm -f $UNUSED)
    mkdir -p "$keep/lib/modules" "$keep/share"
    cp -a "$modules"/*.so "$keep/lib/modules/"
    step "gathering its libraries" private_apt_libraries "$keep/lib" \
        "$ROOT"/usr/sbin/asterisk "$modules"/*.so "$LIBS"/libnss_*.so.2 "$LIBS"/ossl-modules/*.so
    # Loaded by name at run time, so no list of libraries shows them: name service, and NSS for libsrtp2.
    for file in "$LIBS"/libnss_*.so.2 "$LIBS"/nss/*.so "$LIBS"/lib{softokn3,freeblpriv3,freebl3,nssdbm3}.so; do
        [ ! -e "$file" ] || cp -L "$file" "$keep/lib/"
    done
    cp "$ROOT"/usr/sbin/asterisk "$keep/lib/asterisk"
    cp -a "$ROOT"/usr/share/asterisk "$keep/share/"
    rm -rf "$keep"/share/asterisk/{firmware,phoneprov,conf} "$DEST/lib" "$DEST/share"
    mv "$keep/lib" "$keep/share" "$DEST/"
}

# What the packages' installation scripts would have done: sounds/en for sounds/en_US_..., and so on.
link_languages() {
    local language folder
    mkdir -p "$DEST/share/asterisk/sounds"
    cd "$DEST/share/asterisk/sounds"
    for language in en ru; do
        folder=$(find . -maxdepth 1 -type d -name "${language}_*" -printf '%f\n' -quit)
        [ -z "$folder" ] || [ -e "$language" ] || ln -s "$folder" "$language"
    done
    cd - > /dev/null
}

write_env() {
    local version
    cat > "$DEST/env.new" <<'END'
ASTERISK_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
AST_BIN=("$ASTERISK_HOME/lib/ld.so" --library-path "$ASTERISK_HOME/lib" "$ASTERISK_HOME/lib/asterisk")
AST_MODDIR=$ASTERISK_HOME/lib/modules
AST_DATADIR=$ASTERISK_HOME/share/asterisk
END
    # shellcheck disable=SC1091
    version=$(. "$DEST/env.new" && "${AST_BIN[@]}" -V)
    echo "AST_VERSION='$version'" >> "$DEST/env.new"
    mv "$DEST/env.new" "$DEST/env"
    say "$version in $DEST ($(du -sm --exclude='.tmp*' "$DEST" | cut -f1) MB)"
}

main
