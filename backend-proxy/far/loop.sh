# Keeps one agent running: started again after its own death, with a growing pause, and after a reboot where cron is. Ends
# when the agent is to be replaced (the file "stop"), when the node has ended, and when the machine's folder is gone.
MACHINE=$1
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
# An agent that only waits to be asked why its node has ended ends every other process of the node, this one too.
trap 'exit 0' TERM INT
trap '' HUP
printf '%s %s %s %s\n' "$(boot_of)" $$ "$(started $$)" "$STARTED_FROM" >"$MACHINE/loop.part" &&
  mv "$MACHINE/loop.part" "$MACHINE/loop" || exit 1
as_before
pause=1
while [ -d "$MACHINE/state" ]; do
  began=$(date +%s)
  "$NODE" "$BUNDLE" --config "$MACHINE/agent-config.json" >>"$LOG" 2>&1 &
  printf '%s %s\n' $! "$(started $!)" >"$MACHINE/agent"
  wait $!
  code=$?
  [ -d "$MACHINE/state" ] || exit 0
  [ -e "$MACHINE/stop" ] && exit 0
  [ -e "$MACHINE/state/run/ended.json" ] && [ "$code" -eq 0 ] && exit 0
  printf '%s\n' "$code" >>"$MACHINE/exits"
  [ "$(($(date +%s) - began))" -lt 60 ] || pause=1
  sleep "$pause" &
  wait $!
  pause=$((pause < 16 ? pause * 2 : 30))
done
