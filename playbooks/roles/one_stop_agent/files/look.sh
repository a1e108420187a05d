# Run as: sh -euc TEXT look RECORD CONFIGURATION; say what is there, a line each.
printf 'dpkg=%s\n' "$(dpkg-query --show --showformat='${db:Status-Abbrev} ${Version}' one-stop-agent 2>/dev/null)"
printf 'record=%s\n' "$([ ! -e "$1" ] || base64 --wrap=0 "$1")"
printf 'configuration=%s\n' "$([ ! -e "$2" ] || base64 --wrap=0 "$2")"
