/**
 * Who uses a machine: a folder for each use, on the machine itself, so that two computers see each other's. It appears
 * whole, by a rename, and goes last of all.
 */
import { shownName } from '@hitch/contract';
import { type FarShell, shellWord } from '../../access/tunnel/far-shell.ts';

/** Below the home folder there. */
export const LEASES = '.hitch/leases';
export const leaseFolder = (ref: string): string => `${LEASES}/${ref}`;

export interface Lease {
  readonly ref: string;
  readonly pricePerHourMicroUsd: string;
  readonly fromMs: number;
  readonly gpuCount: number;
  /** Whose use it is: `ada@laptop`; without blanks. */
  readonly by: string;
  /** The name under which the machine was reached: it may have others. Empty: not known. */
  readonly at: string;
}

export type Taken = 'taken' | { readonly refused: string };

/** Whether it was taken under this name; one of which that is not known is anybody's who sees it. */
export const isAt = ({ at }: Lease, name: string): boolean => at === '' || at === name;

/** What the machine said cannot be understood, or it could not do what it was asked. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';
}

/** Uses of one machine at once: they share its cores and memory. GPUs are for one use at a time. */
export const USES_AT_ONCE = 4;

/** Takes it, unless it is full; the same ref again is the same use. */
export async function takeLease(shell: FarShell, lease: Lease, signal: AbortSignal): Promise<Taken> {
  const line = [lease.pricePerHourMicroUsd, lease.fromMs, lease.gpuCount, lease.by, lease.at].join(' ');
  const program = `REF=${shellWord(lease.ref)}\nLINE=${shellWord(line)}\nGPUS=${lease.gpuCount}\n${TAKE}`;
  const { stdout, stderr } = await shell.run(program, { signal });
  const [, word, value = ''] = /^::(\w+) ?(.*)$/m.exec(stdout) ?? [];
  switch (word) {
    case 'taken':
      return 'taken';
    case 'full':
      return {
        refused: `${shownName(shell.name)} runs ${USES_AT_ONCE} of the ${USES_AT_ONCE} clusters that it takes at once. Stop one to make room.`,
      };
    case 'gpus':
      return {
        refused: `The GPUs of ${shownName(shell.name)} are in use by ${shownName(value)}. Wait, or take it without GPUs.`,
      };
    case 'closed':
      return {
        refused: `The home folder on ${shownName(shell.name)} cannot be written to: ${shownName(lastLine(stderr))}. Make room there, or give its user the right to write.`,
      };
    default:
      throw new LeaseError(
        `${shownName(shell.name)} gave no answer that makes sense: ${shownName(lastLine(stderr))}.`,
      );
  }
}

export async function listLeases(shell: FarShell, signal: AbortSignal): Promise<readonly Lease[]> {
  const { stdout, code } = await shell.run(LIST, { signal });
  const lines = stdout.split('\n').filter(line => line !== '');
  if (code !== 0 || lines.pop() !== '::end') {
    throw new LeaseError(`${shownName(shell.name)} did not say all that runs there.`);
  }
  return lines.map(readLease);
}

/** Null: there is none; then how many processes of it run all the same. */
export async function findLease(
  shell: FarShell,
  ref: string,
  signal: AbortSignal,
): Promise<Lease | { readonly left: number }> {
  const { stdout } = await shell.run(`REF=${shellWord(ref)}\n${FIND}`, { signal });
  const left = /^::left (\d+)$/m.exec(stdout)?.[1];
  if (left !== undefined) {
    return { left: Number(left) };
  }
  const line = stdout.trim();
  if (line === '') {
    throw new LeaseError(`${shownName(shell.name)} did not say whether ${ref} runs there.`);
  }
  return readLease(line);
}

/** What ran is ended before. */
export async function dropLease(shell: FarShell, ref: string, signal: AbortSignal): Promise<void> {
  const { code, stderr } = await shell.run(`REF=${shellWord(ref)}\n${DROP}`, { signal });
  if (code !== 0) {
    throw new LeaseError(
      `The folder of ${ref} on ${shownName(shell.name)} could not be removed: ${shownName(lastLine(stderr))}.`,
    );
  }
}

/** A lease whose line was lost still stands; it costs nothing that anybody knows of. */
function readLease(line: string): Lease {
  const [ref = '', price = '', from = '', gpus = '', by = '', at = ''] = line.split(' ');
  return {
    ref,
    pricePerHourMicroUsd: /^\d{1,15}$/.test(price) ? price : '0',
    fromMs: Number.isSafeInteger(Number(from)) ? Number(from) : 0,
    gpuCount: /^\d{1,3}$/.test(gpus) ? Number(gpus) : 0,
    by,
    at,
  };
}

const lastLine = (text: string): string =>
  text
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^.*: (?=[^:]+$)/, '')
    .replace(/\.$/, '') || 'it said nothing';

const TAKE = `
cd || exit 1
umask 077
LEASES=${LEASES}
mkdir -p "$LEASES" || { echo '::closed'; exit 0; }
[ -d "$LEASES/$REF" ] && { echo '::taken'; exit 0; }
new=$LEASES/.$REF
{ mkdir -p "$new" && printf '%s\\n' "$LINE" >"$new/lease" && [ -s "$new/lease" ]; } || { rm -rf "$new"; echo '::closed'; exit 0; }
mv "$new" "$LEASES/$REF" || { rm -rf "$new"; echo '::closed'; exit 0; }
# Of two that come at once each sees the other, and neither stays: better than both.
count=0
for lease in "$LEASES"/hitch-*; do
  [ -d "$lease" ] || continue
  count=$((count + 1))
  [ "$lease" = "$LEASES/$REF" ] && continue
  if [ "$GPUS" -gt 0 ] && read -r price from gpus by at <"$lease/lease" && [ "\${gpus:-0}" -gt 0 ]; then
    rm -rf "$LEASES/$REF"
    printf '::gpus %s\\n' "$by"
    exit 0
  fi
done
if [ "$count" -gt ${USES_AT_ONCE} ]; then
  rm -rf "$LEASES/$REF"
  echo '::full'
  exit 0
fi
echo '::taken'
`;

const LIST = `
cd || exit 1
for lease in ${LEASES}/hitch-*; do
  [ -d "$lease" ] || continue
  read -r line <"$lease/lease" || line=
  printf '%s %s\\n' "\${lease##*/}" "$line"
done
echo '::end'
`;

const FIND = `
cd || exit 1
lease=${LEASES}/$REF
if [ -d "$lease" ]; then
  read -r line <"$lease/lease" || line=
  printf '%s %s\\n' "$REF" "$line"
  exit 0
fi
# What the end of a machine would end, and no more: a process of this user's with the whole tag.
left=0
for environment in $(grep -la "HITCH_NODE=$REF" /proc/[0-9]*/environ 2>/dev/null); do
  grep -q "^Uid:[[:space:]]*$(id -u)[[:space:]]" "\${environment%environ}status" 2>/dev/null || continue
  tr '\\0\\n' '\\n ' 2>/dev/null <"$environment" | grep -qxF "HITCH_NODE=$REF" && left=$((left + 1))
done
printf '::left %s\\n' "$left"
`;

const DROP = `
cd || exit 1
rm -rf "${LEASES}/$REF" "${LEASES}/.$REF" || exit 1
rmdir ${LEASES} 2>/dev/null
rmdir "\${HOME}/.hitch" 2>/dev/null
exit 0
`;
