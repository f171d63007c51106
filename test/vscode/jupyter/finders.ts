/**
 * The kernels of each server that was once looked at. Sources: `RemoteKernelFinderController` and `RemoteKernelFinder`
 * (src/kernels/jupyter/finder). Left out: its cache on the disk, and servers that an earlier window had used.
 */
import * as vscode from 'vscode';
import { computeServerId, type Connection, listKernels } from './connections.ts';
import type { Handle } from './registry.ts';

export class Finder {
  readonly handle: Handle;
  readonly displayName: string;
  kernels: readonly Connection[] = [];
  status: 'discovering' | 'idle' = 'idle';
  lastError: Error | undefined;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(handle: Handle, displayName: string) {
    this.handle = handle;
    this.displayName = displayName;
  }

  /** `loadCache`: what failed is kept for the list to show. */
  async load(): Promise<void> {
    this.status = 'discovering';
    // The real one reads its cache from the disk first: the list of its kernels stands before anybody is asked.
    await new Promise(resolve => setImmediate(resolve));
    try {
      this.kernels = await listKernels(this.handle);
      this.lastError = undefined;
    } catch (error) {
      this.lastError = error instanceof Error ? error : new Error(String(error));
    }
    this.status = 'idle';
    this.#changed.fire();
  }

  dispose(): void {
    this.#changed.dispose();
  }
}

const finders = new Map<string, Finder>();
const found = new vscode.EventEmitter<void>();
/** `kernelFinder.onDidChangeKernels`, of all finders. */
export const onDidChangeKernels = found.event;
export const allKernels = (): readonly Connection[] =>
  [...finders.values()].flatMap(({ kernels }) => kernels);
export const allFinders = (): readonly Finder[] => [...finders.values()];

/** `getOrCreateRemoteKernelFinder`: made by whoever opens a server's list, and kept when the list is closed. */
export function getOrCreateFinder(handle: Handle, displayName: string): Finder {
  const key = computeServerId(handle);
  const known = finders.get(key);
  if (known !== undefined) {
    return known;
  }
  const finder = new Finder(handle, displayName);
  finders.set(key, finder);
  finder.onDidChange(() => found.fire());
  void finder.load();
  return finder;
}

/** `urisRemoved` and `lookForServersInCollectionAndRemoveOldServers`. */
export function removeFinder(handle: Handle): void {
  const key = computeServerId(handle);
  finders.get(key)?.dispose();
  finders.delete(key);
}

/** `RemoteKernelFinder.activate`: a kernel that started is among the sessions of its server. */
export function kernelStarted(): void {
  for (const finder of finders.values()) {
    void finder.load();
  }
}
