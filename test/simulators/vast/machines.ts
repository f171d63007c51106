/** The hosts' machines and the asks on them, made from a seed: the same ones every time. */
import type { MicroUsd } from '@hitch/contract';
import { type Random, pick, randomInt, seededRandom } from '@hitch/platform/src/random.ts';

interface GpuModel {
  /** As Vast writes it, with spaces (gpuhunt, `providers/vastai.py`, `get_vastai_gpu_names`). */
  readonly name: string;
  readonly ramMb: number;
  readonly computeCap: number;
  /** Middle price of one for an hour, micro-USD. */
  readonly perHour: number;
  readonly counts: readonly number[];
  readonly dataCenterOnly: boolean;
  /** GB/s; 0: none. */
  readonly nvlink: number;
}

const gpu = (
  name: string,
  ramMb: number,
  computeCap: number,
  perHour: number,
  counts: readonly number[],
  nvlink = 0,
): GpuModel => ({ name, ramMb, computeCap, perHour, counts, dataCenterOnly: nvlink > 0, nvlink });

const MODELS: readonly GpuModel[] = [
  gpu('RTX 3060', 12_288, 860, 70_000, [1, 1, 2]),
  gpu('RTX 3090', 24_576, 860, 190_000, [1, 2, 4, 8]),
  gpu('RTX 4090', 24_564, 890, 360_000, [1, 2, 4, 8]),
  gpu('RTX 5090', 32_607, 1200, 560_000, [1, 2, 4]),
  gpu('RTX A4000', 16_376, 860, 120_000, [1, 2]),
  gpu('RTX A6000', 49_140, 860, 460_000, [1, 4, 8]),
  gpu('L40S', 46_068, 890, 790_000, [1, 2, 8]),
  gpu('A100 PCIE', 81_920, 800, 890_000, [1, 2, 4]),
  gpu('A100 SXM4', 81_920, 800, 1_090_000, [4, 8], 600),
  gpu('H100 SXM', 81_559, 900, 2_090_000, [8], 900),
  gpu('H200', 143_771, 900, 2_790_000, [8], 900),
];

const PLACES = [
  'California, US',
  'Quebec, CA',
  'Sweden, SE',
  'Bulgaria, BG',
  'Norway, NO',
  'Germany, DE',
  'Taiwan, TW',
  // As detailed as the host likes; only its end is a country (SkyPilot, `sky/provision/vast/utils.py`, `launch`).
  'Yutakachō, Shinagawa District, Tokyo, JP',
] as const;

/** A computer that a host lets: it is let whole or by parts, and the parts exclude each other. */
export interface VastMachine {
  readonly machineId: number;
  readonly hostId: number;
  readonly gpu: GpuModel;
  readonly gpuCount: number;
  readonly perGpuMicroUsd: MicroUsd;
  readonly minBidPerGpuMicroUsd: MicroUsd;
  /** A GB of disk for an hour; the network says it by the month of 720 hours. */
  readonly perGbHourMicroUsd: MicroUsd;
  readonly trafficDollarsPerGb: number;
  readonly verification: 'verified' | 'unverified';
  readonly isDataCenter: boolean;
  readonly geolocation: string;
  readonly reliability: number;
  readonly cpuCores: number;
  readonly cpuRamMb: number;
  readonly diskGb: number;
  readonly downMbps: number;
  readonly upMbps: number;
  readonly cudaMax: number;
  readonly driver: string;
  readonly directPorts: number;
  readonly address: string;
  /** How long it is let at most from the market's opening (ms). */
  readonly letForMs: number;
}

/** A part of a machine that somebody can rent. */
export interface Ask {
  readonly id: number;
  readonly machine: VastMachine;
  /** Its GPUs, by their places in the machine. */
  readonly gpus: readonly number[];
}

const FIRST_MACHINE = 40_000;
const FIRST_ASK = 20_000_000;
const ASKS_A_MACHINE = 16;
const DAY_MS = 86_400_000;

/** @param count how many of them; each model in turn */
export function machinesFrom(seed: number, count: number): readonly VastMachine[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) =>
    machine(random, index, MODELS[index % MODELS.length] ?? pick(random, MODELS)),
  );
}

function machine(random: Random, index: number, model: GpuModel): VastMachine {
  const gpuCount = pick(random, model.counts);
  const isDataCenter = model.dataCenterOnly || random.next() < 0.25;
  const spread = 0.75 + random.next() * 0.6;
  const perGpu = Math.round(model.perHour * (isDataCenter ? 1.2 : 1) * spread);
  const cores = gpuCount * pick(random, [8, 12, 16]);
  return {
    machineId: FIRST_MACHINE + index,
    hostId: 1000 + Math.floor(index / 3),
    gpu: model,
    gpuCount,
    perGpuMicroUsd: BigInt(perGpu),
    minBidPerGpuMicroUsd: BigInt(Math.round((perGpu * pick(random, [40, 50, 60])) / 100)),
    perGbHourMicroUsd: BigInt(pick(random, [100, 140, 200, 280])),
    trafficDollarsPerGb: pick(random, [0, 0.002, 0.005, 0.02]),
    // Every fourth is not looked at by anybody but its host.
    verification: isDataCenter || index % 4 !== 3 ? 'verified' : 'unverified',
    isDataCenter,
    geolocation: pick(random, PLACES),
    reliability: Math.round((0.93 + random.next() * 0.069) * 10_000) / 10_000,
    cpuCores: cores,
    cpuRamMb: cores * pick(random, [2, 4, 8]) * 1024,
    diskGb: gpuCount * pick(random, [120, 250, 500]),
    downMbps: pick(random, isDataCenter ? [2500, 9800] : [140, 420, 880, 940]),
    upMbps: pick(random, [40, 310, 760]),
    cudaMax: pick(random, [12.4, 12.8, 13]),
    driver: pick(random, ['550.127.05', '570.86.15', '580.65.06']),
    directPorts: randomInt(random, 2, 200) * gpuCount,
    address: `203.0.113.${(1 + (index % 250)).toString()}`,
    letForMs: randomInt(random, 20, 300) * DAY_MS,
  };
}

/**
 * The asks of a machine: whole, halves, quarters …, each with its `gpu_frac` of one `machine_id` (`search_offers.yaml`). One
 * that is rented takes away those that share a GPU with it (SkyPilot, pull request 9117).
 */
export function asksOf(machine: VastMachine, place: number): readonly Ask[] {
  const asks: Ask[] = [];
  for (let size = machine.gpuCount; size >= 1; size = Math.floor(size / 2)) {
    for (let first = 0; first + size <= machine.gpuCount; first += size) {
      asks.push({
        id: FIRST_ASK + place * ASKS_A_MACHINE + asks.length,
        machine,
        gpus: Array.from({ length: size }, (_, offset) => first + offset),
      });
    }
  }
  return asks;
}
