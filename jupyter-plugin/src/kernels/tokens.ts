import { Token } from '@lumino/coreutils';
import type { Border } from '../outputs/border.ts';
import type { ClusterComms } from '../outputs/comms.ts';
import type { JournalPlaces } from './journal-places.ts';
import type { Places } from './places.ts';
import type { SessionClient } from './session-client.ts';
import type { Waiting } from './waiting.ts';

/** Which kernel runs where; for the parts of this package that move notebooks. */
export interface IKernelRouter {
  readonly places: Places;
  readonly sessions: SessionClient;
  /** JupyterLab's managers as this package provides them. */
  readonly managers: Set<object>;
  /** Who has no kernel because its cluster is away. */
  readonly waiting: Waiting;
  /** Where messages of clusters' kernels stand in their journals. */
  readonly journal: JournalPlaces;
  /** Takes what is active out of what clusters' kernels send. */
  readonly border: Border;
  /** The comms of clusters' kernels, which end in frames. */
  readonly comms: ClusterComms;
}

export const IKernelRouter = new Token<IKernelRouter>(
  'jupyterlab-hitch:IKernelRouter',
  'Knows which kernel runs on which cluster.',
);
