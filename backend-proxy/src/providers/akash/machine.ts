/** The container that is asked for: with a GPU, and letting its renter in by ssh. */
import { type CreateRequest, ProviderError } from '../provider.ts';
import { mostPerBlock } from './block-price.ts';
import { keyOf, TITLE } from './offers.ts';
import type { Workload } from './workload.ts';

/** Debian-like, with sshd in it: `ghcr.io/akash-network` publishes it for that. */
const PLAIN_IMAGE = 'ghcr.io/akash-network/ubuntu-2404-ssh:2';

/**
 * Lets in whoever has the key, in an image that has an sshd or can get one by apt. The shell stays the first process: sshd
 * writes over its own environment, where the proof of the host key is looked for.
 */
const LET_IN = [
  'set -e',
  'if ! [ -x /usr/sbin/sshd ]; then',
  '  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openssh-server',
  'fi',
  'mkdir -p /run/sshd "$HOME/.ssh"',
  'chmod 700 "$HOME/.ssh"',
  'printf "%s\\n" "$SSH_PUBKEY" >"$HOME/.ssh/authorized_keys"',
  'chmod 600 "$HOME/.ssh/authorized_keys"',
  'ssh-keygen -A',
  'set +e',
  'while :; do /usr/sbin/sshd -D -e; sleep 1; done',
].join('\n');

const SSH_PORT = 22;

/** @throws ProviderError `permanent` for what is no offer of Akash, or is asked for with what Akash does not sell */
export function checkOrder({ offer, terms, members }: CreateRequest): void {
  if (keyOf(offer.id) === null) {
    throw new ProviderError('permanent', `${offer.id} is no offer of ${TITLE}.`);
  }
  if (members !== 1) {
    throw new ProviderError('permanent', `${TITLE}’s machines are rented one at a time.`);
  }
  if (terms.bidPerHourMicroUsd !== null || terms.termMs !== null || terms.market !== 'on_demand') {
    throw new ProviderError('permanent', `${TITLE}’s offers here take no bid and no term.`);
  }
}

const refLine = (ref: string): string => `HITCH_REF=${ref}`;

/** Whether a manifest is of the order that was made for `ref`, also where it is written otherwise than Hitch does. */
export const isMadeFor = (manifest: string, ref: string): boolean =>
  manifest.includes(JSON.stringify(refLine(ref)));

/** What runs for a request. The same request makes the same one for ever: what its manifest says is its mark. */
export function workloadOf({ ref, offer, terms, letIn }: CreateRequest): Workload {
  const gpu = keyOf(offer.id);
  return {
    image: terms.image ?? PLAIN_IMAGE,
    command: letIn === null ? null : ['sh', '-c'],
    args: letIn === null ? null : [LET_IN],
    env: [
      refLine(ref),
      ...(letIn === null ? [] : [`SSH_PUBKEY=${letIn.publicKey}`]),
      ...(letIn === null || letIn.proof === null ? [] : [`HITCH_PROOF=${letIn.proof}`]),
    ],
    cpuMillis: offer.cpuCores * 1000,
    memoryMiB: offer.ramMiB,
    diskMiB: terms.diskGiB * 1024,
    gpu: gpu === null ? null : { count: offer.gpuCount, ...gpu },
    ports: [{ port: SSH_PORT, as: SSH_PORT, proto: 'TCP' }],
  };
}

/** The most that a block may cost, in uact. @throws ProviderError `capacity` where that is nothing */
export function limitOf({ maxPricePerHourMicroUsd }: CreateRequest): bigint {
  const limit = mostPerBlock(maxPricePerHourMicroUsd);
  if (limit < 1n) {
    throw new ProviderError('capacity', 'This costs more than the limit.');
  }
  return limit;
}

/** Where ssh is forwarded from, in the words of a lease's status. */
export const isSshPort = ({ port }: { readonly port: number }): boolean => port === SSH_PORT;
