/**
 * What the simulated io.net has for rent, in the shape of `GET /v1/io-cloud/vmaas/hardware` as it was recorded on 13 June
 * 2026 and as `VmHardwareItem` of `iocloud/types.py` (ionet-cloud 0.4.1) reads it. The rows are made up.
 */
import { formatMicroUsd, type MicroUsd } from '@hitch/contract';

export interface Hardware {
  /** What `/price` and `/deploy` take as `hardware_id` (`iocloud/resources/vms.py`, `build_request`). */
  readonly deployId: string;
  readonly name: string;
  readonly cards: number;
  readonly vramPerCard: number;
  /** Of the whole machine, as it is sold; 0: the row says so, and cannot be meant. */
  readonly perHourMicroUsd: MicroUsd;
  readonly location: string;
  readonly interconnect: string | null;
  readonly nvlink: boolean;
  readonly storage: number | null;
  readonly vcpu: number | null;
  readonly memory: number | null;
  readonly supplier: 'internal' | 'external';
  readonly isSoldOut: boolean;
  /** How many can be had. */
  readonly free: number;
}

const ROW = {
  interconnect: 'pcie5',
  nvlink: false,
  storage: 1500,
  supplier: 'external',
  isSoldOut: false,
  free: 20,
} as const;

const H100 = {
  ...ROW,
  name: 'H100',
  vramPerCard: 80,
  interconnect: 'sxm5',
  nvlink: true,
  storage: 2000,
};

/** Among them what the recorded list has too: rows without a GPU, rows without a price, rows that are sold out. */
export const HARDWARE: readonly Hardware[] = [
  {
    ...H100,
    deployId: '8H100.80S.176V',
    cards: 8,
    perHourMicroUsd: 27_875_343n,
    location: 'FI',
    vcpu: 176,
    memory: 1480,
  },
  {
    ...H100,
    deployId: '1H100.80S.22V',
    cards: 1,
    perHourMicroUsd: 3_484_418n,
    location: 'FI',
    vcpu: 22,
    memory: 185,
  },
  {
    ...H100,
    deployId: '1H100.80S.22V',
    cards: 1,
    perHourMicroUsd: 3_600_000n,
    location: 'US',
    vcpu: 22,
    memory: 185,
  },
  {
    ...ROW,
    deployId: '2L40S.32V',
    name: 'L40S',
    cards: 2,
    vramPerCard: 48,
    perHourMicroUsd: 2_180_000n,
    location: 'NO',
    vcpu: 32,
    memory: 240,
  },
  {
    ...ROW,
    deployId: '1RTX4090.16V',
    name: 'RTX 4090',
    cards: 1,
    vramPerCard: 24,
    perHourMicroUsd: 450_001n,
    location: 'US',
    vcpu: 16,
    memory: 64,
    supplier: 'internal',
  },
  {
    ...ROW,
    deployId: '8B300.240V',
    name: 'B300',
    cards: 8,
    vramPerCard: 288,
    perHourMicroUsd: 63_863_014n,
    location: 'FI',
    interconnect: 'sxm6',
    nvlink: true,
    vcpu: 240,
    memory: 2040,
    isSoldOut: true,
    free: 0,
  },
  {
    ...ROW,
    deployId: '1CPU',
    name: '',
    cards: 0,
    vramPerCard: 0,
    perHourMicroUsd: 100_000n,
    location: 'US',
    interconnect: null,
    storage: null,
    vcpu: null,
    memory: null,
  },
  {
    ...ROW,
    deployId: '1L40S',
    name: 'L40S',
    cards: 1,
    vramPerCard: 48,
    perHourMicroUsd: 0n,
    location: 'US',
    storage: null,
    vcpu: null,
    memory: null,
  },
];

/**
 * A row as it is listed. The SDK calls its price one of a GPU and hour (`VmHardwareItem`); of the recorded rows it can only be
 * the whole machine's.
 * @param perGpu that it is the GPU's after all, which makes the machine so many times dearer than its row
 */
export function hardwareRow(hardware: Hardware, perGpu: boolean): object {
  const { deployId, location, cards, perHourMicroUsd } = hardware;
  return {
    id: `${deployId}__${location}`,
    deploy_id: deployId,
    name: hardware.name,
    num_cards: cards,
    supplier: hardware.supplier,
    sold_out: hardware.isSoldOut,
    price: dollars(perGpu && cards > 0 ? perHourMicroUsd / BigInt(cards) : perHourMicroUsd),
    vram_per_card: hardware.vramPerCard,
    interconnect: hardware.interconnect,
    nvlink: hardware.nvlink,
    storage: hardware.storage,
    vcpu: hardware.vcpu,
    memory: hardware.memory,
    location,
  };
}

/** An amount as io.net writes it: a number of dollars. */
export const dollars = (amount: MicroUsd): number => Number(formatMicroUsd(amount)) / 1_000_000;
