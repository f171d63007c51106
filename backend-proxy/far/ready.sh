# Says which Node and Python an earlier run has made ready, when they still run.
read_values
READY=$ROOT/cache/ready-$LOCK_NAME-$NODE_NAME-${RAY:-no}
[ -r "$READY" ] || exit 0
[ -n "$OWN_PYTHON" ] || torch_is_known || exit 0
{ read -r NODE && read -r PYTHON; } <"$READY" || exit 0
"$NODE" --version >/dev/null 2>&1 && "$PYTHON" -c '' 2>/dev/null && printf '::ok\n%s\n%s\n' "$NODE" "$PYTHON"
exit 0
