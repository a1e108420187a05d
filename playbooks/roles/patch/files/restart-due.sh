# Run as: sh -euc TEXT restart-due; say why a restart is due, or nothing.
[ ! -e /run/reboot-required ] || {
    echo "asked for by: $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"
    exit
}
newest=$(find /boot -maxdepth 1 -name 'vmlinuz-*' | sed 's|.*/vmlinuz-||' | sort -V | tail -n 1)
[ -z "$newest" ] || [ ! -e "/boot/vmlinuz-$(uname -r)" ] || [ "$newest" = "$(uname -r)" ] ||
    echo "kernel $newest is installed, $(uname -r) runs"
