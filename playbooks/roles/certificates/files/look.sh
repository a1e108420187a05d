# Run as: sh -euc TEXT look KEY CERTIFICATE; print the public key and the certificate, each if it is there.
[ ! -e "$1" ] || openssl pkey -in "$1" -pubout
[ ! -e "$2" ] || cat "$2"
