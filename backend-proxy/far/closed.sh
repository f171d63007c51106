# Closes the ports of one machine's cluster to others, by a table of nftables that is named after the machine and holds its
# ports alone. It goes before close.sh, loop.sh, end.sh and clean.sh. What it is made of stays in a file until it is taken
# away: after a reboot, which empties the kernel's tables, it is made again before the agent is.

# Sets SAID to what nft said where it failed.
run_nft() { SAID=$(PATH=$PATH:/usr/sbin:/sbin bounded 10 nft "$@"); }

# Closes what the file $ROOT/closed/$REF says, in one step: nothing is open in between.
close_ports() { run_nft -f "$ROOT/closed/$REF"; }

# Takes the table of the machine $1 away; one that is not there is no matter.
open_ports() {
  [ "$(id -u)" = 0 ] && PATH=$PATH:/usr/sbin:/sbin command -v nft >/dev/null 2>&1 || return 0
  run_nft list table inet "$1" || return 0
  run_nft delete table inet "$1"
}

# Takes the table of the machine REF away, and then the file that says it was there.
forget_closed() {
  open_ports "$REF" && [ -n "$ROOT" ] && rm -f "$ROOT/closed/$REF" "$ROOT/closed/$REF.must"
  return 0
}
