# What is there to fetch with, from where, and whether there is a Node already. ROOT and CACHE are set before.

# A Python that can run our small program; the machine's own is enough, however old.
find_fetcher() {
  for candidate in python3 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python /opt/conda/bin/python; do
    if "$candidate" -c 'import sys, zipfile, urllib.request; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1; then
      FETCHER=$candidate
      break
    fi
  done
}

# The machine's own setting goes before what the daemon was told, and only where nobody set anything before the public one.
index() {
  own=$([ -z "$FETCHER" ] || "$FETCHER" "$ROOT/bootstrap/fetch.py" index)
  HITCH_INDEX=${own:-${INDEX:-https://pypi.org/simple}}
  export HITCH_INDEX
  export UV_DEFAULT_INDEX="$HITCH_INDEX"
  unset UV_INDEX_URL
  if [ -z "$SSL_CERT_FILE" ] && [ -n "$FETCHER" ]; then
    SSL_CERT_FILE=$("$FETCHER" "$ROOT/bootstrap/fetch.py" certificates)
    [ -n "$SSL_CERT_FILE" ] && export SSL_CERT_FILE
  fi
  # Certificates as the system has them: a company's own authority is among those.
  export UV_SYSTEM_CERTS=1
}

node_fits() {
  [ "$("$1" -p 'const [a, b] = process.versions.node.split("."); a > 22 || (a == 22 && b >= 13)' 2>/dev/null)" = true ]
}

# Whether NODE, our own copy, is there; else it is set to the machine's own, if that fits.
find_node() {
  [ -x "$NODE" ] && return 0
  own=$(command -v node 2>/dev/null)
  [ -n "$own" ] && node_fits "$own" && NODE=$own
}
