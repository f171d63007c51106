/** Who is let in, the account's keys for ssh, and what is left of its credit. */
import { type MicroUsd } from '@hitch/contract';
import type { SimAnswer, SimRequest } from '../frame/simulator.ts';
import { billedUntil } from './contracts.ts';
import type { VastMarket } from './market.ts';
import { refusal } from './purchase.ts';
import type { Route } from './routes.ts';
import { dollars } from './rows.ts';

export interface SshKey {
  readonly id: number;
  readonly publicKey: string;
}

/** What a login may do: everything, or what concerns one contract, with the key that stands in its container. */
export type Caller = { readonly of: 'account' } | { readonly of: 'contract'; readonly id: number };

export interface AccountOptions {
  readonly keys: readonly string[];
  readonly creditMicroUsd: MicroUsd;
  readonly market: VastMarket;
  /** Whether its keys are a team's, which keeps no keys for ssh. */
  readonly isTeam: boolean;
}

/** Calls that the key of a container may make, of that container. */
const OWN_CALLS: ReadonlySet<string> = new Set(['get', 'manage', 'destroy', 'reboot']);

export class VastAccount {
  readonly #market: VastMarket;
  readonly #isTeam: boolean;
  readonly #keys: Set<string>;
  #creditMicroUsd: MicroUsd;
  #sshKeys: SshKey[] = [];
  #lastKey = 700;

  constructor({ keys, creditMicroUsd, market, isTeam }: AccountOptions) {
    this.#keys = new Set(keys);
    this.#creditMicroUsd = creditMicroUsd;
    this.#market = market;
    this.#isTeam = isTeam;
  }

  get sshKeys(): readonly SshKey[] {
    return this.#sshKeys;
  }

  nextKeyId(): number {
    this.#lastKey += 1;
    return this.#lastKey;
  }

  revoke(key: string): void {
    this.#keys.delete(key);
  }

  accept(key: string): void {
    this.#keys.add(key);
  }

  pay(amount: MicroUsd): void {
    this.#creditMicroUsd += amount;
  }

  /** What is left; below 0 where disks went on billing ("even at negative balance", billing documentation). */
  left(nowMs: number): MicroUsd {
    return this.#market.contracts().reduce((left, contract) => {
      const { gpu, disk } = billedUntil(contract, nowMs);
      return left - gpu - disk;
    }, this.#creditMicroUsd);
  }

  /**
   * Who asks, or the refusal: 403 without a login, else 401 for a key that nobody has, but 404 of the charges
   * (`show_charges.yaml`, `show_instance.yaml`).
   */
  callerOf(request: SimRequest, { name, ids }: Route): Caller | SimAnswer {
    const key = loginOf(request);
    if (key === null) {
      return refusal(403, 'auth_error', 'This action requires login.');
    }
    if (this.#keys.has(key)) {
      return { of: 'account' };
    }
    const own = this.#market.contracts().find(({ ownKey }) => ownKey === key);
    if (own === undefined) {
      return refusal(name === 'charges' ? 404 : 401, 'auth_error', 'Invalid user key');
    }
    return OWN_CALLS.has(name) && ids[0] === own.id.toString()
      ? { of: 'contract', id: own.id }
      : refusal(403, 'not_authorized', 'This key is not allowed to do that.');
  }

  /** `GET /api/v0/users/current/`. */
  user(nowMs: number): SimAnswer {
    const left = dollars(this.left(nowMs));
    return {
      status: 200,
      body: {
        id: 4711,
        key_id: 1,
        email: 'somebody@example.org',
        username: 'somebody',
        balance: left,
        credit: left,
        ssh_key: this.#sshKeys[0]?.publicKey ?? '',
        sid: 'simulated',
        has_billing: true,
        can_pay: true,
      },
    };
  }

  listKeys(): SimAnswer {
    return { status: 200, body: this.#sshKeys.map(keyRow) };
  }

  /** Of a team it is refused (SkyPilot, pull request 10730). */
  addKey(publicKey: string): SimAnswer {
    if (this.#isTeam) {
      return refusal(
        400,
        'team_ssh_keys_not_supported',
        'Team SSH keys are not supported. SSH keys can only be created in personal context.',
      );
    }
    const key = { id: this.nextKeyId(), publicKey };
    this.#sshKeys = [...this.#sshKeys, key];
    return { status: 200, body: { success: true, key: keyRow(key) } };
  }

  removeKey(id: number): SimAnswer {
    const isThere = this.#sshKeys.some(key => key.id === id);
    this.#sshKeys = this.#sshKeys.filter(key => key.id !== id);
    return isThere
      ? { status: 200, body: { success: true } }
      : refusal(404, 'not_found', 'There is no such key.');
  }
}

export const isAnswer = (caller: Caller | SimAnswer): caller is SimAnswer => 'status' in caller;

const keyRow = ({ id, publicKey }: SshKey) => ({
  id,
  user_id: 4711,
  public_key: publicKey,
  created_at: '2026-01-01T12:00:00Z',
  deleted_at: null,
});

/** In a header, or, of old clients, in the address (dstack, `backends/vastai/api_client.py`, `_url`). */
function loginOf({ headers, query }: SimRequest): string | null {
  const bearer = /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1];
  return bearer ?? query.get('api_key');
}
