# Put back what was saved when the revert was armed. Started on the device by systemd: by the timer, at boot, or when
# asked. Uses coreutils, tar and systemctl; needs no network, no Python, and nothing that a change may have broken.
# Whatever stops it, it begins anew at the next boot, and does the same again.

ID=$1
base=/var/lib/tuyen/revert
folder=$base/$ID
unit=tuyen-revert-$ID
units=/etc/systemd/system
trouble=

# Whoever renames the link has the say: this script, or the confirmation.
claim() {
    if [ -L "$folder/reverting" ]; then return 0; fi
    [ "$(readlink $base/armed)" = "$ID" ] && mv -T $base/armed "$folder/reverting"
}

complain() {
    echo "$*"
    trouble="$trouble$*
"
}

extract() {
    tar --numeric-owner --acls --xattrs -xpf "$folder/saved.tar" -C "$1" --no-wildcards -- "${2#/}"
}

# Unpack beside the path and change places, so that it is away for an instant only; in place where that is impossible.
put_back() {
    parent=$(dirname "$1")
    stage=$parent/.tuyen-revert-$ID
    rm -rf "$stage"
    if mkdir -p "$parent" && mkdir -m 0700 "$stage" && extract "$stage" "$1"; then
        rm -rf -- "$1"
        mv -T -- "$stage$1" "$1" || extract / "$1" || complain "not restored: $1"
    else
        rm -rf "$stage"
        rm -rf -- "$1"
        extract / "$1" || complain "not restored: $1"
    fi
    rm -rf "$stage"
    sync -f "$parent"
}

restore() {
    if ! tar -tf "$folder/saved.tar" >/dev/null; then
        complain "the saved files cannot be read: nothing was touched"
        return
    fi
    while IFS= read -r path; do
        echo "restore $path"
        put_back "$path"
    done <"$folder/present"
    while IFS= read -r path; do
        echo "remove $path"
        rm -rf -- "$path" || complain "not removed: $path"
    done <"$folder/absent"
}

# Called by commands.sh. A command that fails or hangs does not keep the others from being run.
run() {
    echo "run $1"
    timeout -k 5 60 sh -c "$1" </dev/null || echo "that failed with code $?" | tee -a "$folder/commands.log"
}

# Write down that it is done, in a file that is whole or not there.
settle() {
    date +%s >"$folder/reverted.new"
    if [ -s "$folder/commands.log" ]; then cat "$folder/commands.log" >>"$folder/reverted.new"; fi
    sync "$folder/reverted.new"
    mv -T "$folder/reverted.new" "$folder/reverted"
    rm -f "$folder/reverting" "$folder/saved.tar" "$folder/failed"
    sync "$folder" $base
}

# Remove the units; until then the state is told as reverting, and a boot comes back to here.
tidy() {
    timeout 30 systemctl -q disable "$unit.service"
    timeout 30 systemctl --no-block stop "$unit.timer"
    rm -f "$units/$unit.service" "$units/$unit.timer"
    timeout 30 systemctl --no-block daemon-reload
}

main() {
    umask 077
    export LC_ALL=C
    if [ -e "$folder/reverted" ] || [ -e "$folder/confirmed" ]; then # a power cut came before the tidying
        tidy
        exit 0
    fi
    claim || exit 0
    rm -f "$folder/commands.log" "$folder/reserve" # room to write down how it went, should the disk be full
    restore
    # A service that failed on the bad files five times would not be started again.
    timeout 30 systemctl reset-failed
    # shellcheck source=/dev/null
    . "$folder/commands.sh"
    if [ -n "$trouble" ]; then
        printf '%s\n%s' "$(date +%s)" "$trouble" >"$folder/failed"
        sync "$folder/failed"
        exit 1
    fi
    settle
    echo "all is as it was before run $ID"
    tidy
}

main
