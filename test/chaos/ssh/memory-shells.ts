/**
 * `ssh` in memory: it finds who answers at an address, holds the host key against the list of known machines that Hitch wrote
 * (`UserKnownHostsFile`, `HostKeyAlias`, `StrictHostKeyChecking` of access/tunnel/target.ts, as in ssh_config(5)), and offers
 * the cluster's key. Nothing else is ever run over it but the proof of the host key (far/prove.sh).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { FarError, type FarShell } from '../../../backend-proxy/src/access/tunnel/far-shell.ts';
import type { Shells } from '../../../backend-proxy/src/access/tunnel/far-shells.ts';
import type { FarTarget } from '../../../backend-proxy/src/access/tunnel/target.ts';
import { proofOf } from '../../../backend-proxy/src/machines/far/first-contact.ts';
import { PROVE } from '../../../backend-proxy/src/machines/far/program-texts.ts';
import type { AddressBook, Listener } from './address-book.ts';
import { bareKey, type ClusterKeys } from './cluster-keys.ts';

export class MemoryShells implements Shells {
  readonly #book: AddressBook;
  readonly #keys: ClusterKeys;

  constructor(book: AddressBook, keys: ClusterKeys) {
    this.#book = book;
    this.#keys = keys;
  }

  async knock(target: FarTarget): Promise<void> {
    this.#connect(target);
  }

  async use<T>(target: FarTarget, _signal: AbortSignal, work: (shell: FarShell) => Promise<T>): Promise<T> {
    return work(shellTo(target, this.#connect(target)));
  }

  async hold(target: FarTarget): Promise<{ shell: FarShell; letGo: () => void }> {
    return { shell: shellTo(target, this.#connect(target)), letGo: () => undefined };
  }

  isOpen(): boolean {
    return true;
  }

  opened(): Promise<void> {
    return Promise.resolve();
  }

  adopt(): Promise<void> {
    return Promise.resolve();
  }

  drop(): Promise<void> {
    return Promise.resolve();
  }

  #connect(target: FarTarget): Listener {
    const setting = (name: string): string =>
      target.settings
        .find(each => each.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replaceAll('"', '') ?? '';
    const listener = this.#book.at({ host: setting('HostName'), port: Number(setting('Port')) });
    if (listener === undefined) {
      throw new FarError('unreachable', `${target.name} does not answer.`);
    }
    checkHostKey(target, listener, setting('UserKnownHostsFile'), setting('HostKeyAlias'));
    const own = this.#keys.keyIn(setting('IdentityFile'));
    const lets = listener.publicKeys();
    if (lets !== null && (own === null || !lets.some(key => bareKey(key) === bareKey(own)))) {
      throw new FarError('login', `${target.name} answers, but takes no key.`);
    }
    return listener;
  }
}

function checkHostKey(
  { name, isFirst }: FarTarget,
  { hostKey }: Listener,
  listFile: string,
  alias: string,
): void {
  const known = readFileSync(listFile, 'utf8').split('\n');
  if (known.includes(`${alias} ${hostKey}`)) {
    return;
  }
  if (isFirst !== true || known.some(line => line.startsWith(`${alias} `))) {
    throw new FarError('host_key_changed', `${name} shows another host key.`);
  }
  writeFileSync(listFile, `${alias} ${hostKey}\n`);
}

function shellTo({ name }: FarTarget, { hostKey, proof }: Listener): FarShell {
  const never = (): never => {
    throw new Error('Only host keys are proved over this shell.');
  };
  return {
    name,
    run: program => {
      if (program !== PROVE) {
        never();
      }
      const stdout = proof === null ? '::unproved\n' : `::key ${proofOf(proof, hostKey)}\n`;
      return Promise.resolve({ code: 0, stdout, stderr: '' });
    },
    follow: never,
    put: never,
    forward: never,
    closed: new AbortController().signal,
    close: () => Promise.resolve(),
  };
}
