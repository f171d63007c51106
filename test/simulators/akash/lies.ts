/** How the simulated Akash differs from what one would wish. Files are of akash-network/console, below `apps/api/src`. */
export interface AkashLies {
  /** Nobody bids: a bid is a provider's own choice. */
  readonly noBids?: boolean;
  /** Bids come block by block (`test/e2e/managed-api-deployment-flow.spec.ts` asks for them every 6 s). Left out: at once. */
  readonly bidsAfterMs?: number;
  /** So many bids are withdrawn between their list and the lease (`bid not open` of `chain-error.service.ts`). */
  readonly withdrawn?: number;
  /**
   * So many times the provider of a lease does not take its manifest: the lease stands and is paid
   * (`manifest_not_delivered` of `#sendManifest` in `services/lease/lease.service.ts`).
   */
  readonly undelivered?: number;
  /** Providers that do not answer: nothing is leased of them (`provider_unreachable` of `#assertProvidersReachable` there). */
  readonly unreachable?: readonly string[];
  /** What bids ask for, as a factor of the listed average, which is of the console's own small orders. Left out: 1. */
  readonly bidFactor?: number;
  /** Two providers ask for the same. */
  readonly evenBids?: boolean;
  /** Bids are in AKT, as the schema of an SDL allows. Assumed: of an order in uact nobody was seen to bid so. */
  readonly denom?: string;
  /** What a lease's state is called. */
  readonly word?: string;
  /** The provider is not reached when the status is asked for (`LEASE_STATUS_FETCH_FAILED` of `deployment-reader.service.ts`). */
  readonly noStatus?: boolean;
  /** A forwarded port without its host, which the OpenAPI does not require. */
  readonly noHost?: boolean;
  /**
   * The list has the leases of the next row, or none at all: `list` of the same file puts the answers that came into the rows in
   * the order in which they came.
   */
  readonly listedLeases?: 'mixed' | 'none';
  /** The list leaves out so many of the rows that it counts. */
  readonly withholds?: number;
  /** So long it takes until a close is on the chain. */
  readonly endMs?: number;
  /** The provider closes the lease so long after it was taken, and the deployment stands. */
  readonly leaseEndsAfterMs?: number;
  /** The deposit is what the platform says, in dollars (`resolveDepositInDollars` of `deployment-writer.service.ts`). */
  readonly managedDeposit?: number;
  /** Nothing fills the deposit up (`AUTO_TOP_UP_DISABLED` of `initial-deployment-funding.service.ts`). */
  readonly noTopUp?: boolean;
  /** The manifest is made otherwise than by the published fixtures. Assumed: a later release of theirs. */
  readonly otherManifest?: boolean;
}
