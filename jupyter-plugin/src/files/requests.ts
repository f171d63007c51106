/** What is asked of the daemon for *Send to…* and *Fetch*. Its local paths are below the Jupyter server's root. */
import type { ClusterId, CopyRequest } from '@hitch/contract';

/** Into a folder of the work folder, under their own names. */
export const sendInto = (clusterId: ClusterId, sources: readonly string[], folder: string): CopyRequest => ({
  clusterId,
  direction: 'send',
  sources: [...sources],
  target: folder,
  intoFolder: true,
  conflict: 'ask',
});

/** One file or folder to exactly this place in the work folder. */
export const sendAs = (clusterId: ClusterId, source: string, target: string): CopyRequest => ({
  clusterId,
  direction: 'send',
  sources: [source],
  target,
  intoFolder: false,
  conflict: 'ask',
});

/** Into a folder of this JupyterLab's files, under their own names. */
export const fetchInto = (clusterId: ClusterId, sources: readonly string[], folder: string): CopyRequest => ({
  clusterId,
  direction: 'fetch',
  sources: [...sources],
  target: folder,
  intoFolder: true,
  conflict: 'ask',
});
