# Confirm a change: its revert is not to happen; or take things as they are after a revert that failed. Runs on the device as root, from standard input; ID stands before it.
# It prints one line: "confirmed", or "refused WHY".

base=/var/lib/tuyen/revert
folder=$base/$ID
unit=tuyen-revert-$ID

# Whoever renames the link has the say: this script, or the revert.
claim() {
    if [ -e "$folder/failed" ]; then
        mv -T "$folder/reverting" "$folder/confirming" && rm -f "$folder/failed"
    else
        [ "$(readlink $base/armed)" = "$ID" ] && mv -T $base/armed "$folder/confirming"
    fi
}

main() {
    if [ ! -e "$folder/confirmed" ]; then
        if ! claim; then
            if [ -e "$folder/reverted" ]; then echo "refused reverted"; else echo "refused not-armed"; fi
            exit 1
        fi
        date +%s >"$folder/confirmed"
    fi
    systemctl stop "$unit.timer"
    systemctl -q disable "$unit.service"
    rm -f "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.timer" "$folder/saved.tar" "$folder/confirming"
    sync "$folder/confirmed" "$folder" $base /etc/systemd/system
    systemctl --no-block daemon-reload
    echo confirmed
}

main </dev/null 2>/dev/null
