/** What keeps us from a rented machine, in other words than for one that its user can log in to by hand. */
import { shownName } from '@hitch/contract';
import { FarError } from '../../access/tunnel/far-shell.ts';

/** Says anew what was said as of a machine of the user's own; any other error stays as it is. */
export async function asRented<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof FarError ? sentenceOf(shownName(name), error) : null;
    throw error instanceof FarError && message !== null
      ? new FarError(error.kind, message, { hostKey: error.hostKey, cause: error })
      : error;
  }
}

function sentenceOf(who: string, { kind, hostKey, message }: FarError): string | null {
  switch (kind) {
    case 'host_key_changed':
      return (
        `${who} shows another host key than the rented machine (${hostKey?.fingerprint ?? 'it says none'}): another machine may have its address by now, ` +
        'or somebody is in between. It was refused and nothing was sent; the network is asked where the machine is.'
      );
    case 'host_key_unknown':
      return `${who} shows a host key that nobody has named: it was refused and nothing was sent.`;
    case 'login':
      return `${who} answers, but does not let the cluster’s key in.`;
    case 'unreachable':
      return message.replace(/ Check that .*$/, '');
    case 'jump':
    case 'shell':
    case 'file':
    case 'too_much':
    case 'no_ssh':
      return null;
  }
}
