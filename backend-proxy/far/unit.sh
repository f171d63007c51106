# A unit of this user's own systemd, which starts one machine's agent at a reboot. It goes before start.sh and end.sh.
units_of_user() { echo "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"; }

# Writes a unit for the machine REF, which this user's systemd starts at a reboot. Fails where that may not outlive the
# user's sessions. What of it was not there before is written down, so that the end takes it away.
add_unit() {
  who=$(id -un)
  if [ "$(bounded 10 loginctl show-user "$who" -p Linger)" != Linger=yes ]; then
    bounded 10 loginctl enable-linger >/dev/null || return 1
    [ "$(bounded 10 loginctl show-user "$who" -p Linger)" = Linger=yes ] || return 1
    : >"$ROOT/lingers"
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
remove_unit() {
  folder=$(units_of_user)
  [ -h "$folder/$REF.service" ] || [ -h "$folder/default.target.wants/$REF.service" ] || [ -e "$MACHINE/$REF.service" ] || return 0
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
