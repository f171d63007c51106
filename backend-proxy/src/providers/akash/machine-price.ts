/** What is asked for beside a GPU, and what it adds to the price. */
import type { MicroUsd } from '@hitch/contract';
import { microUsdOf } from '../http/dollars.ts';

export const DISK_GIB = 50;
export const LEAST_DISK_GIB = 10;
export const MOST_DISK_GIB = 1000;

/** Memory beside a GPU, as much as the GPU has, inside what hosts can give. */
export const ramGiB = (vramGiB: number): number => Math.min(64, Math.max(16, Math.ceil(vramGiB)));
export const coresFor = (ram: number): number => Math.ceil(ram / 4);

/**
 * What providers ask for by the month where they change nothing: the targets of `price_script_generic.sh` of
 * akash-network/helm-charts. The prices of the catalogue are of bids for a GPU beside a tenth of a core.
 */
const MONTH_HOURS = 720n;
const PER_CORE_MONTH = 1.6;
const PER_GB_MONTH = 0.8;
const PER_DISK_GB_MONTH = 0.02;
const PER_PORT_MONTH = 0.05;

export const DISK_PER_GIB_HOUR: MicroUsd = microUsdOf(PER_DISK_GB_MONTH, { times: 1n, over: MONTH_HOURS });

/** Cores, memory and the port of ssh, an hour. */
export const besidePerHour = (cores: number, ram: number): MicroUsd =>
  microUsdOf((cores * PER_CORE_MONTH + ram * PER_GB_MONTH + PER_PORT_MONTH).toFixed(6), {
    times: 1n,
    over: MONTH_HOURS,
  });
