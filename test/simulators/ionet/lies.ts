/** How the simulated io.net differs from what its documents promise. */
import type { Hardware } from './hardware.ts';

/** What it does otherwise than one would wish. */
export interface IonetLies {
  /**
   * The answer to a deploy is empty: its 200 is declared as nothing, and one who calls it found nothing in it. The SDK reads
   * an id there (`VmDeploymentCreated`). Left out: an id.
   */
  readonly emptyDeploy?: boolean;
  /** `iocloud/pagination.py` counts pages from 1, the specification of September 2025 from 0. Left out: 1. */
  readonly firstPage?: 0 | 1;
  /** So long after a deploy its page is not found (`VmInstances.submit`: "read-after-write lookup 404s"). */
  readonly hiddenMs?: number;
  /** So long after a deploy it is in no list. */
  readonly listedAfterMs?: number;
  /** The list leaves out so many of the rows that it counts. */
  readonly withholds?: number;
  /** What runs is called this. */
  readonly word?: string;
  /** `RUNNING`, `DEPLOYMENT_REQUESTED`: as answers to actions are written. */
  readonly shouts?: boolean;
  /** So much more is taken than `/price` said. */
  readonly dearerPercent?: number;
  /** So much comes on top of the listed price, in `/price` and in what is taken. */
  readonly feePercent?: number;
  /** The listed price is a GPU's, as the SDK says, not the machine's. */
  readonly listsPerGpu?: boolean;
  /** Nothing is left of what is listed. */
  readonly soldOut?: boolean;
  /** Other hardware than was asked for is rented. */
  readonly rents?: Hardware;
  /** How the way in is written; left out: as `ssh -p 22022 ubuntu@192.0.2.7`. */
  readonly sshAccess?: (host: string, port: number, user: string) => string;
}
