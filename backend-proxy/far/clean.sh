# Takes away the cache of packages and programs, unless a machine of ours is still here.
read_values
[ -e "$ROOT/.root" ] || { echo '::freed 0'; exit 0; }
for machine in "$ROOT"/machines/*; do
  [ -d "$machine" ] && { printf '::used %s\n' "${machine##*/}"; exit 0; }
done
# shellcheck disable=SC2046
runs $(cat "$ROOT/bootstrap/lock/owner" 2>/dev/null) && { echo '::busy'; exit 0; }
# Of machines whose folders somebody took away.
for file in "$ROOT"/closed/hitch-*; do
  case $file in
    *.must | *.part | *'*') ;;
    *) open_ports "${file##*/}" || { echo '::stays'; exit 0; } ;;
  esac
done
size=$(du -sk "$ROOT" 2>/dev/null | cut -f 1)
chmod -R u+rwX "$ROOT" 2>/dev/null
rm -rf "$ROOT" || { echo '::stays'; exit 0; }
# The folder above is ours where nothing else is in it.
rmdir "${ROOT%/far}" 2>/dev/null
printf '::freed %s\n' "$((size))"
