# A unit of this user's own systemd, which starts one machine's agent at a reboot. It goes before start.sh and end.sh.
units_of_user() { echo "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"; }

# Runs one of the two below while no other program of this user's does so here: each looks for what another makes. Whoever
# died in it is not waited for; nor is anybody for more than a minute, which is longer than either may take.
alone_with_units() {
  lock=$ROOT/units-$(uname -n).lock
  me="$(boot_of) $$ $(started $$)"
  until=$(($(date +%s) + 60))
  refused=0
  until ln -s "$me" "$lock" 2>/dev/null; do
    owner=$(readlink "$lock")
    # It was given back this moment, or nothing can be made here at all.
    [ -n "$owner" ] || refused=$((refused + 1))
    [ "$refused" -lt 5 ] || break
    [ "$(date +%s)" -lt "$until" ] || break
    # shellcheck disable=SC2086
    if [ -n "$owner" ] && ! runs $owner; then
      # Only one of several that see it gets to move it, and looks at what it moved.
      mv "$lock" "$lock.$$" 2>/dev/null || continue
      moved=$(readlink "$lock.$$")
      rm -f "$lock.$$"
      [ "$moved" = "$owner" ] || ln -s "$moved" "$lock" 2>/dev/null
      continue
    fi
    nap
  done
  "$@"
  code=$?
  [ "$(readlink "$lock")" != "$me" ] || rm -f "$lock"
  return $code
}
add_unit() { alone_with_units write_unit; }
remove_unit() {
  folder=$(units_of_user)
  [ -h "$folder/$REF.service" ] || [ -h "$folder/default.target.wants/$REF.service" ] || [ -e "$MACHINE/$REF.service" ] || return 0
  alone_with_units take_unit
}

# Writes a unit for the machine REF, which this user's systemd starts at a reboot. Fails where that may not outlive the
# user's sessions. What of it was not there before is written down, so that the end takes it away.
write_unit() {
  who=$(id -un)
  if [ "$(bounded 10 loginctl show-user "$who" -p Linger)" != Linger=yes ]; then
    # Before it is so: whoever dies in between has said what the end must undo.
    : >"$ROOT/lingers"
    if ! bounded 10 loginctl enable-linger >/dev/null ||
      [ "$(bounded 10 loginctl show-user "$who" -p Linger)" != Linger=yes ]; then
      rm -f "$ROOT/lingers"
      return 1
    fi
  fi
  folder=$(units_of_user)
  for each in "${folder%/systemd/user}" "${folder%/user}" "$folder" "$folder/default.target.wants"; do
    [ -d "$each" ] || printf '%s\n' "$each"
  done >>"$ROOT/unit-folders"
  printf '%s\n' '[Unit]' "Description=Hitch's agent of $REF" '[Service]' "Environment=HITCH_NODE=$REF" \
    "ExecStart=/bin/sh $LOOP_PROGRAM $MACHINE" Restart=on-failure RestartSec=10 KillMode=process \
    '[Install]' WantedBy=default.target >"$MACHINE/$REF.service" || return 1
  user_systemd enable "$MACHINE/$REF.service" >/dev/null && [ -h "$folder/default.target.wants/$REF.service" ]
}

# Takes the unit of the machine REF away, and, with the last of ours, what was made for them.
take_unit() {
  user_systemd stop --no-block "$REF.service" >/dev/null
  user_systemd disable "$REF.service" >/dev/null
  rm -f "$folder/$REF.service" "$folder/default.target.wants/$REF.service" "$MACHINE/$REF.service"
  for other in "$folder"/hitch-*.service; do
    [ ! -h "$other" ] || return 0
  done
  sort -ru "$ROOT/unit-folders" 2>/dev/null | while IFS= read -r each; do rmdir "$each" 2>/dev/null; done
  [ ! -e "$ROOT/lingers" ] || bounded 10 loginctl disable-linger >/dev/null
  rm -f "$ROOT/unit-folders" "$ROOT/lingers"
}
