/**
 * What the simulated io.net has of containers, in the shape that `HardwareInfo` of `iocloud/types.py` (ionet-cloud 0.4.1) reads.
 * Ids are texts that name the GPUs, or numbers; of numbered hardware no price is told to whoever asks for one. The rows are made up.
 */
import { dollars, type Hardware } from './hardware.ts';

const ROW = {
  vramPerCard: 0,
  interconnect: null,
  nvlink: false,
  storage: null,
  vcpu: null,
  memory: null,
  supplier: 'external',
  isSoldOut: false,
  free: 20,
} as const;

export const CONTAINER_HARDWARE: readonly Hardware[] = [
  {
    ...ROW,
    deployId: 'gpu_1x_l40',
    name: 'L40',
    cards: 1,
    perHourMicroUsd: 660_000n,
    location: 'US',
  },
  {
    ...ROW,
    deployId: 'gpu_1x_rtx4000_16',
    name: 'NVIDIA RTX 4000 16GB',
    cards: 1,
    perHourMicroUsd: 620_000n,
    location: 'FR',
  },
  {
    ...ROW,
    deployId: 'gpu_4x_h100',
    name: 'H100',
    cards: 4,
    perHourMicroUsd: 9_200_000n,
    location: 'PL',
    free: 3,
  },
  {
    ...ROW,
    deployId: '12',
    name: 'GeForce RTX 4090',
    cards: 1,
    perHourMicroUsd: 300_000n,
    location: 'US',
  },
  {
    ...ROW,
    deployId: 'gpu_1x_a6000',
    name: 'RTX A6000',
    cards: 1,
    perHourMicroUsd: 800_000n,
    location: 'US',
    free: 0,
    isSoldOut: true,
  },
  {
    ...ROW,
    deployId: 'gpu_1x_l4',
    name: 'L4',
    cards: 1,
    perHourMicroUsd: 0n,
    location: 'US',
  },
];

/** A row as it is listed. */
export const containerRow = ({
  deployId,
  name,
  cards,
  perHourMicroUsd,
  location,
  free,
}: Hardware): object => ({
  hardware_id: /^[0-9]+$/.test(deployId) ? Number(deployId) : deployId,
  hardware_name: name,
  brand_name: 'NVIDIA',
  location,
  price: dollars(perHourMicroUsd),
  available: free,
  network: free,
  max_gpus_per_container: cards,
  min_gpus_per_container: null,
  confidential_compute: false,
});
