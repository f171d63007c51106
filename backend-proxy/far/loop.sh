# Keeps one agent running: started again after its own death, with a growing pause, and after a reboot where cron is. Ends
# when the agent is to be replaced (the file "stop"), when the node has ended, and when the machine's folder is gone.
MACHINE=$1
ROOT=${MACHINE%/machines/*}
REF=${MACHINE##*/}
cd "$MACHINE/work" || exit 1
# shellcheck disable=SC2046
runs $(cat "$MACHINE/loop" 2>/dev/null) && exit 0
read_values <"$MACHINE/agent-values"
while IFS= read -r line; do
  case ${line%%=*} in
    '' | *[!A-Za-z0-9_]*) ;;
    *) export "${line?}" ;;
  esac
done <"$MACHINE/environment"
# What this connection brought is not the machine's.
unset SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_AUTH_SOCK SSH_ORIGINAL_COMMAND
LOG=$MACHINE/state/logs/agent.log
# What was closed for a node's programs is opened when the node has ended: then none of them runs any more. What does that
# carries no tag, so that the agent does not end it with the rest.
leave() {
  [ ! -e "$MACHINE/state/run/ended.json" ] || (
    unset HITCH_NODE
    forget_closed
  )
  exit 0
}
# An agent that only waits to be asked why its node has ended ends every other process of the node, this one too.
trap leave TERM INT
trap '' HUP
# The kernel's tables are empty after a reboot, and the agent would start what listens.
while [ -e "$ROOT/closed/$REF" ] && ! close_ports; do
  printf 'The ports of the cluster cannot be closed to others: nft says "%s".\n' "$SAID" >>"$LOG"
  [ -e "$ROOT/closed/$REF.must" ] || break
  sleep 10 &
  wait $!
done
printf '%s %s %s %s\n' "$(boot_of)" $$ "$(started $$)" "$STARTED_FROM" >"$MACHINE/loop.part" &&
  mv "$MACHINE/loop.part" "$MACHINE/loop" || exit 1
as_before
pause=1
while [ -d "$MACHINE/state" ]; do
  began=$(date +%s)
  # shellcheck disable=SC2086
  "$NODE" $NODE_FLAGS "$BUNDLE" --config "$MACHINE/agent-config.json" >>"$LOG" 2>&1 &
  printf '%s %s\n' $! "$(started $!)" >"$MACHINE/agent"
  wait $!
  code=$?
  [ -d "$MACHINE/state" ] || exit 0
  [ -e "$MACHINE/stop" ] && exit 0
  [ -e "$MACHINE/state/run/ended.json" ] && [ "$code" -eq 0 ] && leave
  printf '%s\n' "$code" >>"$MACHINE/exits"
  [ "$(($(date +%s) - began))" -lt 60 ] || pause=1
  sleep "$pause" &
  wait $!
  pause=$((pause < 16 ? pause * 2 : 30))
done
