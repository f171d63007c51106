/** Asks and contracts as Vast writes them (`search_offers.yaml`, `show_instance.yaml`): units and oddities with them. */
import type { MicroUsd } from '@hitch/contract';
import { type Contract, isOffline, isOver, isStopped, runningAt, statusAt } from './contracts.ts';
import type { Ask, VastMachine } from './machines.ts';

export type Row = Readonly<Record<string, unknown>>;

export const dollars = (amount: MicroUsd): number => Number(amount) / 1_000_000;

/** The network's month, in hours. */
const MONTH = 720n;

const storageCost = ({ perGbHourMicroUsd }: VastMachine): number => dollars(perGbHourMicroUsd * MONTH);

/** The columns that a machine's ask and contract share. */
function machineColumns(machine: VastMachine, gpus: number): Row {
  const { gpu, gpuCount } = machine;
  const share = gpus / gpuCount;
  return {
    machine_id: machine.machineId,
    host_id: machine.hostId,
    hosting_type: machine.isDataCenter ? 1 : 0,
    gpu_name: gpu.name,
    gpu_arch: 'nvidia',
    num_gpus: gpus,
    gpu_frac: share,
    // MB, here and for the computer's memory; the command line shows GB.
    gpu_ram: gpu.ramMb,
    gpu_lanes: 16,
    gpu_mem_bw: 900.5,
    bw_nvlink: gpu.nvlink,
    cpu_arch: 'amd64',
    cpu_name: 'EPYC 7543',
    // Of the whole machine; the part's are `cpu_cores_effective` (gpuhunt, `VastAIProvider.get`).
    cpu_cores: machine.cpuCores,
    cpu_cores_effective: machine.cpuCores * share,
    cpu_ghz: 2.8,
    cpu_ram: machine.cpuRamMb,
    disk_name: 'Samsung SSD 980',
    disk_bw: 2100.5,
    inet_down: machine.downMbps,
    inet_up: machine.upMbps,
    inet_down_cost: machine.trafficDollarsPerGb,
    inet_up_cost: machine.trafficDollarsPerGb,
    direct_port_count: Math.floor(machine.directPorts * share),
    pci_gen: 4,
    pcie_bw: 24.6,
    mobo_name: 'ROMED8-2T',
    os_version: '22.04',
    driver_version: machine.driver,
    cuda_max_good: machine.cudaMax,
    compute_cap: gpu.computeCap,
    static_ip: machine.isDataCenter,
    geolocation: machine.geolocation,
    verification: machine.verification,
    reliability2: machine.reliability,
    reliability: machine.reliability,
    external: false,
    rentable: true,
    storage_cost: storageCost(machine),
    dlperf: gpu.computeCap / 20,
    total_flops: (gpu.computeCap / 10) * gpus,
    score: (gpu.computeCap * 1000) / Number(machine.perGpuMicroUsd),
    cluster_id: null,
    webpage: null,
    logo: '/static/logos/vastai_small2.png',
  };
}

export interface AskView {
  readonly isBid: boolean;
  readonly minBidMicroUsd: MicroUsd;
  readonly gpuMicroUsd: MicroUsd;
  readonly allocatedGb: number;
  readonly endsAtMs: number;
}

/** An ask in a search; `dph_total` holds the storage that was asked for (`allocated_storage`). */
export function askRow(ask: Ask, view: AskView, nowMs: number): Row {
  const { machine, gpus } = ask;
  const base = view.isBid ? view.minBidMicroUsd : view.gpuMicroUsd;
  const disk = (machine.perGbHourMicroUsd * BigInt(Math.round(view.allocatedGb * 1000))) / 1000n;
  const price = {
    gpuCostPerHour: dollars(base),
    diskHour: dollars(disk),
    totalHour: dollars(base + disk),
    discountTotalHour: 0,
    discountedTotalPerHour: dollars(base + disk),
  };
  return {
    ...machineColumns(machine, gpus.length),
    id: ask.id,
    ask_contract_id: ask.id,
    bundle_id: machine.machineId * 10 + gpus.length,
    bundled_results: null,
    gpu_ids: gpus.map(place => machine.machineId * 10 + place),
    gpu_total_ram: machine.gpu.ramMb * gpus.length,
    disk_space: (machine.diskGb * gpus.length) / machine.gpuCount,
    is_bid: view.isBid,
    min_bid: dollars(view.minBidMicroUsd),
    dph_base: dollars(base),
    dph_total: dollars(base + disk),
    discounted_dph_total: dollars(base + disk),
    storage_total_cost: dollars(disk),
    search: price,
    instance: price,
    rented: false,
    public_ipaddr: machine.address,
    start_date: nowMs / 1000 - 86_400,
    end_date: view.endsAtMs / 1000,
    // Seconds that are left.
    duration: Math.max(0, (view.endsAtMs - nowMs) / 1000),
    vms_enabled: false,
    resource_type: 'gpu',
    gpu_display_active: false,
    has_avx: 1,
    time_remaining: '',
    time_remaining_isbid: '',
  };
}

/** What a search filters by and does not show: a row has `hosting_type` and `verification` in their place. */
export const askFilters = ({ machine }: Ask): Row => ({
  datacenter: machine.isDataCenter,
  verified: machine.verification === 'verified',
});

const seconds = (atMs: number): number => atMs / 1000;

/** Where a contract is reached. */
export interface Way {
  readonly address: string;
  readonly port: number;
}

/** An instance, in a list and by itself. */
export function contractRow(contract: Contract, way: Way | null, nowMs: number): Row {
  const { ask, diskMicroUsd, gpuMicroUsd } = contract;
  const status = statusAt(contract, nowMs);
  const isRunning = runningAt(contract, nowMs) !== undefined && !isOffline(contract, nowMs);
  const wish = isStopped(contract, nowMs) ? 'stopped' : 'running';
  const total = gpuMicroUsd + diskMicroUsd;
  return {
    ...machineColumns(ask.machine, ask.gpus.length),
    num_gpus: contract.gotGpus,
    gpu_name: contract.gotGpuName,
    gpu_totalram: ask.machine.gpu.ramMb * contract.gotGpus,
    id: contract.id,
    actual_status: status,
    intended_status: wish,
    cur_state: wish,
    next_state: wish,
    label: contract.label,
    status_msg: wordsOf(contract, status),
    image_uuid: contract.image,
    image_args: [],
    image_runtype: contract.runtype,
    extra_env: Object.entries(contract.env),
    onstart: contract.onstart,
    jupyter_token: null,
    template_id: null,
    template_hash_id: null,
    template_name: null,
    bundle_id: ask.machine.machineId * 10 + ask.gpus.length,
    start_date: seconds(contract.createdAtMs),
    end_date: seconds(contract.createdAtMs + ask.machine.letForMs),
    duration: Math.max(0, seconds(contract.createdAtMs + ask.machine.letForMs - nowMs)),
    uptime_mins: null,
    disk_space: contract.diskGb,
    disk_usage: -1,
    disk_util: -1,
    is_bid: contract.isBid,
    min_bid: dollars(ask.machine.minBidPerGpuMicroUsd * BigInt(ask.gpus.length)),
    dph_base: dollars(gpuMicroUsd),
    dph_total: dollars(total),
    storage_total_cost: dollars(diskMicroUsd),
    search: priceOf(gpuMicroUsd, diskMicroUsd),
    // What it costs now: without its GPUs while they are not billed (`show_instance.yaml`, its example).
    instance: priceOf(isRunning ? gpuMicroUsd : 0n, diskMicroUsd),
    ...(way === null ? { ports: null } : { ports: portsOf(way) }),
    // With a line's end at its end (dstack, `update_provisioning_data`, strips it).
    public_ipaddr: `${way?.address ?? ask.machine.address}\n`,
    local_ipaddrs: '172.17.0.2 \n',
    ssh_host: `ssh${(contract.id % 9).toString()}.vast.ai`,
    ssh_idx: (contract.id % 9).toString(),
    ssh_port: 10_000 + (contract.id % 20_000),
    machine_dir_ssh_port: 5300,
    direct_port_start: -1,
    direct_port_end: -1,
    cpu_util: isRunning ? 1.5 : 0,
    gpu_util: isRunning ? 0 : null,
    gpu_temp: isRunning ? 41 : null,
    mem_limit: null,
    mem_usage: null,
    vmem_usage: null,
    client_run_time: 1.1,
    host_run_time: 2_592_000,
    credit_balance: null,
    credit_discount: null,
    time_remaining: '',
    time_remaining_isbid: '',
    country_code: null,
    volume_info: [],
    rentable: !isOver(contract, nowMs),
  };
}

const priceOf = (gpuPerHour: MicroUsd, diskPerHour: MicroUsd): Row => ({
  gpuCostPerHour: dollars(gpuPerHour),
  diskHour: dollars(diskPerHour),
  totalHour: dollars(gpuPerHour + diskPerHour),
  discountTotalHour: 0,
  discountedTotalPerHour: dollars(gpuPerHour + diskPerHour),
});

const portsOf = ({ port }: Way): Row => ({
  '22/tcp': [
    { HostIp: '0.0.0.0', HostPort: port.toString() },
    { HostIp: '::', HostPort: port.toString() },
  ],
});

function wordsOf({ brokenWords, image, runtype }: Contract, status: string | null): string | null {
  switch (status) {
    case null:
      return null;
    case 'created':
      return brokenWords;
    case 'loading':
      return `Pulling from ${image}`;
    case 'running':
      return `success, running ${image}/${runtype.split(' ')[0] ?? 'ssh'}`;
    default:
      return null;
  }
}
