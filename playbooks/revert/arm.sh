# Arm a revert. Runs on the device as root, read whole from standard input before anything is done; needs coreutils,
# tar and systemd. ID, AFTER (seconds), PATHS (a line each), COMMANDS (lines "run '...'") and REVERT (a script) stand
# before it. It prints one line: "armed", or "refused WHY [WHAT]".
#
# The link "armed" is made last and is what arms: until it is there nothing that was prepared does anything.

base=/var/lib/tuyen/revert
folder=$base/$ID
unit=tuyen-revert-$ID
units=/etc/systemd/system

refuse() {
    echo "refused $*"
    exit 1
}

require() {
    [ "$(id -u)" = 0 ] || refuse no-root
    [ -d /run/systemd/system ] || refuse no-systemd
    command -v tar >/dev/null || refuse no-tar
    if [ -L $base/armed ]; then refuse armed "$(readlink $base/armed)"; fi
    for other in "$base"/*/reverting; do
        if [ -L "$other" ]; then refuse reverting "$(basename "$(dirname "$other")")"; fi
    done
    if [ -e "$folder/confirmed" ] || [ -e "$folder/reverted" ]; then refuse used "$ID"; fi
}

# Keep what is there in saved.tar, and write down what is not: it is removed on revert.
save() {
    if ! { mkdir -p $base && rm -rf "$folder" && mkdir "$folder" && cd "$folder" && touch present absent members; }; then
        refuse unwritable "$folder"
    fi
    printf '%s\n' "$PATHS" | while IFS= read -r path; do
        if [ -e "$path" ] || [ -L "$path" ]; then
            printf '%s\n' "$path" >>present
            printf '%s\n' "${path#/}" >>members
        elif [ -n "$path" ]; then
            printf '%s\n' "$path" >>absent
        fi
    done
    # The POSIX format keeps times to the nanosecond.
    tar -C / --format=posix --numeric-owner --acls --xattrs -cpf saved.tar --verbatim-files-from -T members 2>tar.log ||
        refuse unsaved "$(tail -n 1 tar.log)"
    head -c 65536 /dev/zero >reserve || refuse unwritable "$folder"
    printf '%s\n' "$COMMANDS" >commands.sh
    printf '%s\n' "$REVERT" >revert.sh
    if ! { sh -n commands.sh && sh -n revert.sh && [ "$(tail -n 1 revert.sh)" = main ]; }; then
        refuse unwritable "$folder"
    fi
}

# The timer counts from now on; the service itself is enabled, so that a boot while armed reverts at once.
schedule() {
    {
        cat >"$units/$unit.service" <<END &&
[Unit]
Description=Put back what tuyen changed in run $ID, unless it is confirmed

[Service]
Type=oneshot
ExecStart=/bin/sh $folder/revert.sh $ID
TimeoutStartSec=15min

[Install]
WantedBy=multi-user.target
END
            cat >"$units/$unit.timer" <<END
[Unit]
Description=Wait for the confirmation of tuyen run $ID

[Timer]
OnActiveSec=${AFTER}s
AccuracySec=1s
END
    } || refuse unwritable $units
    read -r now _idle </proc/uptime
    printf '%s %s %s\n' "${now%.*}" "$AFTER" "$(cat /proc/sys/kernel/random/boot_id)" >since
    sync present absent saved.tar reserve revert.sh commands.sh since "$units/$unit.service" . $base $units
    if ! { systemctl daemon-reload && systemctl -q enable "$unit.service" && systemctl start "$unit.timer"; }; then
        unschedule
    fi
}

unschedule() {
    if [ "$(readlink $base/armed)" = "$ID" ]; then rm -f $base/armed; fi
    systemctl -q disable "$unit.service"
    rm -f "$units/$unit.service" "$units/$unit.timer"
    systemctl daemon-reload
    refuse no-timer
}

# Keep the last twenty that are settled.
forget() {
    # The names are ours: no spaces, no line ends.
    # shellcheck disable=SC2012
    ls -1t $base | tail -n +21 | while IFS= read -r old; do
        if [ -e "$base/$old/confirmed" ] || [ -e "$base/$old/reverted" ]; then rm -rf "${base:?}/$old"; fi
    done
}

main() {
    umask 077
    export LC_ALL=C
    require
    save
    schedule
    ln -s "$ID" $base/armed || refuse armed "$(readlink $base/armed)"
    systemctl -q is-active "$unit.timer" || unschedule
    sync $base
    echo armed
    forget
}

main </dev/null 2>/dev/null
