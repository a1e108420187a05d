# Run as: sh -euc TEXT prepare FOLDER SETTINGS PREFERENCES
mkdir -p -m 755 "$1"
printf '%s\n' "$2" >"$1/apt.conf"
printf '%s\n' "$3" >"$1/preferences"
