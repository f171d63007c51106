/** The GPUs of this computer, as nvidia-smi tells. */
import { execFile } from 'node:child_process';
import { shortGpuName } from '../../machines/gpu-name.ts';

export interface LocalGpus {
  readonly model: string | null;
  readonly count: number;
  readonly vramMiB: number;
  readonly cudaMax: string | null;
}

export const NO_GPUS: LocalGpus = { model: null, count: 0, vramMiB: 0, cudaMax: null };

/** Runs a program and answers what it printed. Rejects when it cannot be run. */
export type RunText = (file: string, args: readonly string[], signal: AbortSignal) => Promise<string>;

export const runText: RunText = (file, args, signal) =>
  new Promise((resolve, reject) => {
    execFile(file, args, { signal, timeout: 10_000 }, (error, stdout) => {
      if (error === null) {
        resolve(stdout);
      } else {
        reject(new Error(`${file} could not be run: ${error.message}`, { cause: error }));
      }
    });
  });

/** A computer without nvidia-smi, or with one that fails, has no GPUs for us. */
export async function readGpus(run: RunText, signal: AbortSignal): Promise<LocalGpus> {
  try {
    const [rows, banner] = await Promise.all([
      run('nvidia-smi', ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'], signal),
      run('nvidia-smi', [], signal),
    ]);
    return parseGpus(rows, banner);
  } catch {
    signal.throwIfAborted();
    return NO_GPUS;
  }
}

/**
 * @param rows `name, MiB` a line
 * @param banner what nvidia-smi prints without arguments, which alone names the newest CUDA of the driver
 */
export function parseGpus(rows: string, banner: string): LocalGpus {
  const gpus = rows.split('\n').flatMap(line => {
    const [, name, memory] = /^(.+), *(\d+)\s*$/.exec(line.trim()) ?? [];
    return name === undefined ? [] : [{ name, vramMiB: Number(memory) }];
  });
  const [first] = gpus;
  if (first === undefined) {
    return NO_GPUS;
  }
  return {
    model: shortGpuName(first.name),
    count: gpus.length,
    // The smallest one bounds what fits on each.
    vramMiB: Math.min(...gpus.map(({ vramMiB }) => vramMiB)),
    cudaMax: /CUDA Version: *(\d+\.\d+)/.exec(banner)?.[1] ?? null,
  };
}
