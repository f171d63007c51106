/** This computer as a network: its CPUs and GPUs, rented for nothing (or for what the user says it costs). */
import { availableParallelism, totalmem } from 'node:os';
import { statfs } from 'node:fs/promises';
import { HitchError, type MicroUsd, type Offer } from '@hitch/contract';
import type { Host, MachineAddress } from '../../access/host.ts';
import type { MachineRecord } from '../../machines/machine-folder.ts';
import type { Machines } from '../../machines/machines.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import {
  type CreateRequest,
  type Instance,
  type Provider,
  ProviderError,
  type Traits,
  type Vacancy,
} from '../provider.ts';
import { checkTerms } from '../plain-terms.ts';
import { type LocalGpus, type RunText, readGpus, runText } from './gpus.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export interface LocalProviderOptions {
  readonly machines: Machines;
  readonly clock: Clock;
  /** What an hour of this computer costs, where the user set it. */
  readonly pricePerHourMicroUsd?: MicroUsd;
  /** A folder on the disk whose room counts. */
  readonly folder: string;
  readonly run?: RunText;
  readonly cpuCores?: number;
}

export class LocalProvider implements Provider {
  readonly id = 'local';
  readonly title = 'This computer';
  readonly kind = 'own';
  readonly verifiedLive = true;
  readonly login = null;
  readonly capabilities: Traits = {
    refVia: 'name',
    sshKeys: 'none',
    bootSecret: false,
    privateNetwork: true,
    endsBillingAlone: 'always',
    visibilityDelayMs: 0,
  };
  readonly #options: LocalProviderOptions;
  #gpus: LocalGpus | null = null;

  constructor(options: LocalProviderOptions) {
    this.#options = options;
  }

  offers(signal: AbortSignal): Promise<readonly Offer[]> {
    return onThisComputer(signal, async () => {
      // GPUs do not come and go; asking for them costs a process each time.
      const gpus = (this.#gpus ??= await readGpus(this.#options.run ?? runText, signal));
      const diskGiB = await freeDiskGiB(this.#options.folder);
      const whole = this.#offer(gpus, diskGiB);
      return gpus.count === 0
        ? [whole]
        : [whole, this.#offer({ ...gpus, model: null, count: 0, vramMiB: 0 }, diskGiB)];
    });
  }

  vacancy(): Vacancy {
    const running = this.#options.machines.count(this.id);
    return {
      free: Math.max(0, NODES_AT_ONCE - running),
      sentence: `This computer runs ${running.toString()} of the ${NODES_AT_ONCE.toString()} nodes that it offers at once.`,
    };
  }

  create(request: CreateRequest, signal: AbortSignal): Promise<Instance> {
    return onThisComputer(signal, () => {
      checkTerms(request);
      const { offer } = request;
      const price = this.#options.pricePerHourMicroUsd ?? 0n;
      if (price > request.maxPricePerHourMicroUsd) {
        throw new ProviderError(
          'capacity',
          'This computer costs more than the limit since its price was changed.',
        );
      }
      // Nothing comes between this look and the making: two that ask at once are one after the other here.
      const { free, sentence } = this.vacancy();
      if (free === 0) {
        throw new ProviderError('capacity', `${sentence} Stop a cluster to make room.`);
      }
      const record = this.#options.machines.create({
        ref: request.ref,
        provider: this.id,
        offerId: offer.id,
        pricePerHourMicroUsd: price.toString(),
        cpuCores: offer.cpuCores,
        gpuCount: offer.gpuCount,
        gpuModel: offer.gpuModel,
        practice: false,
      });
      return instanceOf(record);
    });
  }

  get(instanceId: string, signal: AbortSignal): Promise<Instance> {
    return onThisComputer(signal, async () => {
      const record = this.#options.machines.get(instanceId);
      if (record !== null) {
        return instanceOf(record);
      }
      const left = await this.#options.machines.processes(instanceId);
      return {
        id: instanceId,
        mark: instanceId,
        status: left === 0 ? 'gone' : 'stopped',
        members: [],
        rates: [],
        message:
          left === 0 ? 'Nothing of it is left on this computer.' : `${left.toString()} processes still run.`,
      };
    });
  }

  list(signal: AbortSignal): Promise<readonly Instance[]> {
    return onThisComputer(signal, () => this.#options.machines.list(this.id).map(instanceOf));
  }

  destroy(instanceId: string, signal: AbortSignal): Promise<void> {
    return onThisComputer(signal, () => this.#options.machines.destroy(instanceId));
  }

  host(instance: Instance, _rank: number, signal: AbortSignal): Promise<Host> {
    return onThisComputer(signal, () => {
      if (this.#options.machines.get(instance.id) === null) {
        throw new ProviderError('permanent', `The machine ${instance.id} is gone from this computer.`);
      }
      return this.#options.machines.host(instance.id);
    });
  }

  dial(instanceId: string, _rank: number, _address: MachineAddress, signal: AbortSignal): Promise<Host> {
    return onThisComputer(signal, () => this.#options.machines.host(instanceId));
  }

  #offer(gpus: LocalGpus, diskGiB: number): Offer {
    const price = (this.#options.pricePerHourMicroUsd ?? 0n).toString();
    const nowMs = this.#options.clock.now();
    return {
      id: gpus.count === 0 ? 'local:cpu' : 'local:gpu',
      provider: this.id,
      practice: false,
      gpuModel: gpus.model,
      gpuCount: gpus.count,
      vramMiB: gpus.vramMiB,
      pricePerHourMicroUsd: price,
      priceParts: [{ label: 'this computer', perHourMicroUsd: price }],
      nonRefundableMicroUsd: '0',
      country: null,
      region: null,
      supplier: null,
      kind: 'process',
      market: 'on_demand',
      trust: 'own',
      reliability: null,
      connectivity: null,
      security: 'standard',
      cpuCores: this.#options.cpuCores ?? availableParallelism(),
      ramMiB: Math.floor(totalmem() / MIB),
      diskGiB,
      downMbps: null,
      upMbps: null,
      cudaMax: gpus.cudaMax,
      endsBillingAlone: true,
      multiNode: true,
      // In all: a list of offers is a minute old, and how many are free is asked when it matters.
      stock: NODES_AT_ONCE,
      readyInMs: null,
      fetchedAtMs: nowMs,
    };
  }
}

/** Nodes share this computer's cores and memory; more than these would only wait for each other. */
const NODES_AT_ONCE = 16;

async function freeDiskGiB(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return Math.floor((bavail * bsize) / GIB);
  } catch {
    // The folder is made with the first machine.
    return 0;
  }
}

function instanceOf(record: MachineRecord): Instance {
  return {
    id: record.ref,
    mark: record.ref,
    status: 'running',
    members: [{ id: record.ref, rank: 0, status: 'running', ssh: null, privateAddress: null }],
    rates: [
      {
        label: record.gpuModel ?? 'Machine',
        perHourMicroUsd: BigInt(record.pricePerHourMicroUsd),
        fromMs: record.createdAtMs,
      },
    ],
    got: { gpuModel: record.gpuModel, gpuCount: record.gpuCount, market: 'on_demand', trust: 'own' },
    message: 'A machine on this computer.',
  };
}

/** Runs `work`; every failure leaves as a ProviderError. */
async function onThisComputer<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  if (signal.aborted) {
    throw new ProviderError('retryable', 'The call was given up before anything was done.', {
      cause: signal.reason,
    });
  }
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProviderError) {
      throw cause;
    }
    if (cause instanceof RangeError) {
      throw new ProviderError('permanent', cause.message, { cause });
    }
    if (cause instanceof HitchError) {
      throw new ProviderError('retryable', cause.message, { cause });
    }
    throw new ProviderError('unknownOutcome', errorText(cause), { cause });
  }
}
