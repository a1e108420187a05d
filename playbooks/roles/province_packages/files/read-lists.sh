# Run as: sh -euc TEXT read-lists MODE VIEW KEY SOURCES
# MODE apply: read the lists of the province's archive.
# MODE check: read them, and copies of all others, into VIEW, as apt will see them once KEY and SOURCES are in place.
# Only what changed goes over the link, and no other archive is asked: it may be out of reach.
update() {
    apt-get -qq -o APT::Update::Error-Mode=any -o APT::Get::List-Cleanup=false -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=20 -o "Dir::Etc::sourcelist=$1" -o Dir::Etc::sourceparts=/dev/null update
}
mode=$1 view=$2 key=$3 sources=$4
if [ "$mode" = apply ]; then
    update /etc/apt/sources.list.d/province.sources
    exit
fi
rm -rf "$view"
mkdir -p -m 755 "$view/sources"
cp -a /var/lib/apt/lists "$view/lists"
[ ! -d /etc/apt/sources.list.d ] || cp -a /etc/apt/sources.list.d/. "$view/sources"
printf '%s\n' "$key" >"$view/province.asc"
printf '%s\n' "$sources" | sed "s|^Signed-By:.*|Signed-By: $view/province.asc|" >"$view/sources/province.sources"
cat >"$view/apt.conf" <<END
Dir::State::lists "$view/lists/";
Dir::Etc::sourceparts "$view/sources/";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
END
APT_CONFIG=$view/apt.conf
export APT_CONFIG
update "$view/sources/province.sources"
