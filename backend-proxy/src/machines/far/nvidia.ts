/** The GPUs of a far machine, as `nvidia-smi -q -x` tells. */
import { shortGpuName } from '../gpu-name.ts';

export interface FarGpu {
  readonly uuid: string;
  /** `RTX 4090`, `H100 80GB HBM3`. */
  readonly model: string;
  readonly memoryMiB: number;
  /** Memory that somebody uses now. */
  readonly usedMiB: number;
  /** Programs that compute on it now, whoever started them. */
  readonly processes: number;
}

export interface FarGpus {
  readonly gpus: readonly FarGpu[];
  /** `550.54.15` */
  readonly driver: string | null;
  /** The newest CUDA that the driver carries. */
  readonly cudaMax: string | null;
  /** What nvidia-smi said in place of a list: as a rule that the driver is not loaded. */
  readonly problem: string | null;
}

export const NO_FAR_GPUS: FarGpus = { gpus: [], driver: null, cudaMax: null, problem: null };

/** Reads the few things that are needed; what else stands there differs between drivers. */
export function parseNvidiaSmi(xml: string): FarGpus {
  if (!xml.includes('<nvidia_smi_log>')) {
    const [first = ''] = xml.split('\n').filter(line => line.trim() !== '');
    return { ...NO_FAR_GPUS, problem: first.trim() };
  }
  const gpus = [...xml.matchAll(/<gpu\s[^>]*>([\s\S]*?)<\/gpu>/g)].map(([, text = '']) => parseGpu(text));
  return {
    gpus,
    driver: versionOf(xml, 'driver_version'),
    cudaMax: versionOf(xml, 'cuda_version'),
    problem: null,
  };
}

function parseGpu(text: string): FarGpu {
  const memory = blockOf(text, 'fb_memory_usage');
  return {
    uuid: textOf(text, 'uuid') ?? '',
    model: shortGpuName(textOf(text, 'product_name') ?? 'GPU'),
    memoryMiB: mebibytes(textOf(memory, 'total')),
    usedMiB: mebibytes(textOf(memory, 'used')),
    processes: [...text.matchAll(/<process_info>[\s\S]*?<\/process_info>/g)].filter(([info]) =>
      /<type>\s*[^<]*C[^<]*<\/type>/.test(info),
    ).length,
  };
}

function blockOf(text: string, name: string): string {
  return new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(text)?.[1] ?? '';
}

/** Null where there is none, and where the driver says that it cannot tell. */
function textOf(text: string, name: string): string | null {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]?.trim();
  return found === undefined || found === '' || /^\[?N\/A\]?$/.test(found) ? null : found;
}

/** It stands in sentences and is compared: anything but numbers is no version. */
function versionOf(text: string, name: string): string | null {
  const found = textOf(text, name);
  return found !== null && /^\d{1,6}(?:\.\d{1,6}){0,3}$/.test(found) ? found : null;
}

/** `81559 MiB` */
function mebibytes(text: string | null): number {
  return Number(/^(\d+) *MiB/.exec(text ?? '')?.[1] ?? 0);
}
