/** What changes contracts: buying, stopping, starting, ending, bids and keys. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Random } from '@hitch/platform/src/random.ts';
import * as z from 'zod';
import type { SimAnswer } from '../frame/simulator.ts';
import type { VastAccount } from './account.ts';
import { type Contract, ended, isStopped, restarted, stopped } from './contracts.ts';
import { shownContracts } from './instances.ts';
import type { Lies } from './lies.ts';
import type { VastMarket } from './market.ts';
import { purchase, refusal } from './purchase.ts';
import type { Ways } from './ways.ts';

export interface DeskOptions {
  readonly clock: Clock;
  readonly market: VastMarket;
  readonly account: VastAccount;
  readonly ways: Ways;
  readonly lies: Lies;
  readonly random: Random;
  readonly bootMs: number;
}

const manageSchema = z.looseObject({
  state: z.enum(['stopped', 'running']).optional(),
  label: z.string().optional(),
});
const keySchema = z.looseObject({ ssh_key: z.string().min(1) });
const bidSchema = z.looseObject({ price: z.number() });

const DONE: SimAnswer = { status: 200, body: { success: true } };
const LONGEST_LABEL = 1024;
const AGAIN_MS = 10_000;

export class VastDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  create(askId: number, body: unknown): SimAnswer {
    const { market, lies, account, ways, random, bootMs } = this.#options;
    const nowMs = this.#options.clock.now();
    const { answer, contract, outbid } = purchase(askId, body, {
      market,
      lies,
      nowMs,
      bootMs: ways.areReal ? null : bootMs,
      ownKey: Buffer.from(random.bytes(16)).toString('hex'),
      hasCredit: account.left(nowMs) > 0n,
    });
    outbid.forEach(other => ways.end(other));
    if (contract !== null) {
      ways.bought(contract, account.sshKeys);
    }
    return answer;
  }

  /** `PUT /api/v0/instances/{id}/`: a label, or stopping and starting. */
  manage(id: number, body: unknown): SimAnswer {
    const contract = this.#find(id);
    const read = manageSchema.safeParse(body);
    if (contract === null || !read.success) {
      return contract === null ? noSuchInstance(id) : refusal(400, 'invalid_args', 'invalid state');
    }
    const { state, label } = read.data;
    if (label !== undefined) {
      return this.#label(contract, label);
    }
    if (state === 'stopped' && !this.#isStopped(contract)) {
      this.#options.market.keep(stopped(contract, { by: 'owner', atMs: this.#options.clock.now() }));
      this.#options.ways.end(contract);
    }
    return state === 'running' && this.#isStopped(contract) ? this.#startAgain(contract) : DONE;
  }

  reboot(id: number): SimAnswer {
    const contract = this.#find(id);
    if (contract === null) {
      return noSuchInstance(id);
    }
    if (!this.#isStopped(contract)) {
      this.#run(contract);
    }
    return DONE;
  }

  /** One that is gone is an error, which counts as done (`destroy_instance.yaml`; `vastai` 1.9.1 prints it). */
  destroy(id: number): SimAnswer {
    const { market, ways, clock } = this.#options;
    const contract = this.#find(id);
    if (contract === null) {
      return noSuchInstance(id);
    }
    if (contract.destroyFailures > 0) {
      market.keep({ ...contract, destroyFailures: contract.destroyFailures - 1 });
      return { status: 500, body: 'Internal Server Error' };
    }
    const atMs = contract.endedAtMs ?? clock.now() + contract.slowDestroyMs;
    market.keep(ended(contract, atMs));
    ways.end(contract);
    return { status: 200, body: { success: true, msg: 'Instance destroyed successfully' } };
  }

  /** `PUT /api/v0/instances/bid_price/{id}/`: one that stands still for its bid starts when the new one is enough. */
  changeBid(id: number, body: unknown): SimAnswer {
    const contract = this.#find(id);
    const read = bidSchema.safeParse(body);
    if (contract === null || !contract.isBid) {
      return noSuchInstance(id);
    }
    if (!read.success || read.data.price < 0.001) {
      return refusal(400, 'invalid_args', 'Please set a bid price >= 0.001.');
    }
    const bid = BigInt(Math.round(read.data.price * 1_000_000));
    const kept = this.#options.market.keep({ ...contract, gpuMicroUsd: bid });
    return this.#isStopped(kept) && kept.stop?.by === 'bid' ? this.#startAgain(kept) : DONE;
  }

  /** The keys are a text with JSON in it (`show_instance_ssh_keys.yaml`). */
  keys(id: number): SimAnswer {
    const contract = this.#find(id);
    const rows = this.#options.ways.attached(id).map(key => ({
      id: key.id,
      name: null,
      public_key: key.publicKey,
    }));
    return contract === null
      ? noSuchInstance(id)
      : { status: 200, body: { success: true, ssh_keys: JSON.stringify(rows) } };
  }

  async attachKey(id: number, body: unknown): Promise<SimAnswer> {
    const contract = this.#find(id);
    const read = keySchema.safeParse(body);
    if (contract === null || !read.success) {
      return contract === null ? noSuchInstance(id) : refusal(400, 'no_ssh_key', 'No ssh key provided');
    }
    const key = { id: this.#options.account.nextKeyId(), publicKey: read.data.ssh_key.trim() };
    await this.#options.ways.attach(contract, key);
    return { status: 200, body: { success: true, msg: 'SSH key attached successfully' } };
  }

  async detachKey(id: number, keyId: number): Promise<SimAnswer> {
    const contract = this.#find(id);
    if (contract === null) {
      return noSuchInstance(id);
    }
    return (await this.#options.ways.detach(contract, keyId))
      ? DONE
      : refusal(404, 'not_found', 'There is no such key.');
  }

  addAccountKey(body: unknown): SimAnswer {
    const read = keySchema.safeParse(body);
    return read.success
      ? this.#options.account.addKey(read.data.ssh_key.trim())
      : refusal(400, 'no_ssh_key', 'No ssh key provided');
  }

  /** An account without credit has all that it rents stopped (billing documentation); disks go on. */
  stopWithoutCredit(): void {
    const { market, account, ways, clock } = this.#options;
    const atMs = clock.now();
    if (account.left(atMs) > 0n) {
      return;
    }
    for (const contract of shownContracts(market, atMs).filter(one => !isStopped(one, atMs))) {
      market.keep(stopped(contract, { by: 'credit', atMs }));
      ways.end(contract);
    }
  }

  #label(contract: Contract, label: string): SimAnswer {
    if (label.length > LONGEST_LABEL) {
      return refusal(
        400,
        'label_too_long',
        'Please limit label length to 1024 characters, ideally less than 128.',
      );
    }
    this.#options.market.keep({ ...contract, label });
    const id = contract.id.toString();
    return { status: 200, body: { success: true, msg: `label for ${id} set to '${label}'` } };
  }

  /** Its GPUs may be somebody else's by now. */
  #startAgain(contract: Contract): SimAnswer {
    const { market, ways } = this.#options;
    const { ask, isBid, gpuMicroUsd } = contract;
    if (!market.isFree(ask) || (isBid && gpuMicroUsd < market.minBid(ask))) {
      return refusal(400, 'resources_unavailable', 'The GPUs of this instance are in use.');
    }
    market.makeWay(ask).forEach(other => ways.end(other));
    this.#run(contract);
    return DONE;
  }

  #run(contract: Contract): void {
    const { market, ways, clock } = this.#options;
    const atMs = clock.now();
    if (ways.areReal) {
      market.keep({ ...stopped(contract, { by: 'owner', atMs }), stop: null });
      ways.end(contract);
      ways.start(contract);
    } else {
      market.keep(restarted(contract, atMs, atMs + AGAIN_MS));
    }
  }

  #isStopped(contract: Contract): boolean {
    return isStopped(contract, this.#options.clock.now());
  }

  #find(id: number): Contract | null {
    const { market, clock } = this.#options;
    return shownContracts(market, clock.now()).find(contract => contract.id === id) ?? null;
  }
}

const noSuchInstance = (id: number): SimAnswer =>
  refusal(404, 'no_such_instance', `Instance ${id.toString()} not found.`);
