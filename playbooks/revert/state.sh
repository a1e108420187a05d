# Tell how a revert stands. Runs on the device as root, from standard input; ID stands before it. It prints a state,
# then a number (seconds left when armed, else the time it was settled), then what went wrong, on lines of their own.

base=/var/lib/tuyen/revert
folder=$base/$ID

left() {
    read -r since after boot <"$folder/since"
    read -r now _idle </proc/uptime
    if [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ]; then echo $((since + after - ${now%.*})); else echo 0; fi
}

main() {
    if [ "$(readlink $base/armed)" = "$ID" ]; then
        echo armed
        left
        return
    fi
    if [ -e "$folder/reverted" ] && [ -e "/etc/systemd/system/tuyen-revert-$ID.service" ]; then
        echo reverting # all but the tidying
        return
    fi
    for state in confirmed reverted failed; do
        if [ -e "$folder/$state" ]; then
            echo "$state"
            cat "$folder/$state"
            return
        fi
    done
    if [ -L "$folder/reverting" ]; then echo reverting; else echo absent; fi
}

main </dev/null 2>/dev/null
