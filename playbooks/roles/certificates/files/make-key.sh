# Run as: sh -euc TEXT make-key KEY
umask 077
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.new"
mv "$1.new" "$1"
