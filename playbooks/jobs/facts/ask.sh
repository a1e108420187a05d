PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C
echo "host_name=$(uname -n)"
echo "system=$(uname -s | tr A-Z a-z)"
echo "kernel=$(uname -r)"
echo "architecture=$(uname -m)"
(
    . /etc/os-release
    echo "os=$ID"
    echo "os_version=$VERSION_ID"
    echo "os_name=$PRETTY_NAME"
) 2>/dev/null
echo "cpus=$(getconf _NPROCESSORS_ONLN)"
echo "memory=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
echo "boot_id=$(cat /proc/sys/kernel/random/boot_id)"
echo "uptime=$(cut -d' ' -f1 /proc/uptime)"
for name in vendor:sys_vendor product:product_name serial:product_serial; do
    echo "${name%%:*}=$(cat "/sys/class/dmi/id/${name##*:}" 2>/dev/null)"
done
for disk in /sys/block/*; do
    case ${disk##*/} in
    loop* | ram* | zram* | dm-* | sr* | fd* | '*') ;;
    *) echo "disk=${disk##*/} $(cat "$disk/size")" ;;
    esac
done
ip -o link show 2>/dev/null | awk '$2 != "lo:" { split($2, name, /[@:]/); for (i = 3; i < NF; i++)
    if ($i == "link/ether") print "link=" name[1] " " $(i + 1) }'
ip -o addr show scope global 2>/dev/null | awk '{ print "address=" $2 " " $4 }'
echo "gateway=$(ip -4 route show default 2>/dev/null | awk '{ print $3; exit }')"
echo "agent=$(dpkg-query -W -f '${Version}' one-stop-agent 2>/dev/null)"
echo "python=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null)"
