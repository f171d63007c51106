# Says which of several places (address/port, with blanks between) answer from here, with what the machine has.
read_values
for place in $PLACES; do
  address=${place%/*}
  port=${place#*/}
  if command -v python3 >/dev/null 2>&1; then
    python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 4).close()' "$address" "$port" 2>/dev/null
  elif command -v bash >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    bounded 4 bash -c ': >"/dev/tcp/$0/$1"' "$address" "$port" 2>/dev/null
  else
    false
  fi && printf '::reaches %s\n' "$place"
done
echo '::end'
