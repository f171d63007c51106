/** What the simulated console answers, by its `apps/api/swagger/openapi.json`; refusals by `HonoErrorHandlerService`. */
import type { SimAnswer } from '../frame/simulator.ts';
import { type Chain, coin, type SimBid, type SimDeployment, type SimLease } from './chain.ts';

export const OWNER = 'akash1simulatedowner0000000000000000000000000';

export const data = (value: unknown, status = 200): SimAnswer => ({ status, body: { data: value } });

/** Refusals with names of their own: `errorCode` of `lease.service.ts`. */
export const PROVIDER_SAYS = {
  unreachable: coded('provider_unreachable', 'The provider could not be reached. No lease was created.'),
  undelivered: (dseq: string, provider: string) =>
    coded(
      'manifest_not_delivered',
      `The lease for deployment ${dseq} exists, but provider ${provider} did not receive its manifest. Send this request again to retry, or close the deployment to stop paying for it.`,
    ),
} as const;

function coded(code: string, message: string): SimAnswer {
  return { status: 502, body: { error: 'BadGatewayError', message, code, type: 'server_error' } };
}

const NAMES: Readonly<Record<number, readonly [error: string, code: string]>> = {
  400: ['BadRequestError', 'bad_request'],
  401: ['UnauthorizedError', 'unauthorized'],
  402: ['PaymentRequiredError', 'payment_required'],
  404: ['NotFoundError', 'not_found'],
  429: ['TooManyRequestsError', 'rate_limited'],
};

export function refusal(status: number, message: string): SimAnswer {
  const [error = 'HttpError', code = 'http_error'] = NAMES[status] ?? [];
  return { status, body: { error, message, code, type: 'client_error' } };
}

export const NOT_FOUND = refusal(404, 'Deployment not found');
export const UNAUTHORIZED = refusal(401, 'Unauthorized');

/** `ERRORS` of `chain-error.service.ts`, with what the call was for before it. */
export const CHAIN_SAYS = {
  bidClosed: refusal(
    400,
    'Failed to create lease: Cannot create lease: The selected bid is no longer open. Please refresh and select an available bid.',
  ),
  orderClosed: refusal(
    400,
    'Failed to create lease: Cannot create lease: The associated order has already been matched or closed. Re-create the deployment to generate a new order and try again.',
  ),
  noBalance: refusal(
    402,
    'Failed to create deployment: Not enough balance to cover the deployment deposit. Add credits or turn on auto recharge to continue.',
  ),
  lowDeposit: refusal(400, 'Failed to create deployment: Deposit too low'),
} as const;

const placeOf = (dseq: string, { provider, bseq }: SimBid) => ({
  owner: OWNER,
  dseq,
  gseq: 1,
  oseq: 1,
  provider,
  bseq,
});

/** `GET /v1/bids`. */
export const bidRow = (
  deployment: SimDeployment,
  bid: SimBid,
  { state, height, denom }: { readonly state: string; readonly height: number; readonly denom: string },
): object => ({
  bid: {
    id: placeOf(deployment.dseq, bid),
    state,
    price: { ...coin(bid.price), denom },
    created_at: height.toString(),
    resources_offer: [],
  },
  escrow_account: escrowOf('bid', deployment.dseq, { used: 0n, left: 0n, settledAt: height, state: 'open' }),
});

/** A lease, without what its provider says of it. */
export const leaseRow = (dseq: string, lease: SimLease, word: string): object => ({
  id: placeOf(dseq, lease.bid),
  state: word,
  price: coin(lease.bid.price),
  created_at: lease.fromHeight.toString(),
  closed_on: (lease.closedHeight ?? 0).toString(),
  ...(lease.reason === null ? {} : { reason: lease.reason }),
});

/** A deployment with its leases, as they are given. */
export function deploymentRow(
  chain: Chain,
  deployment: SimDeployment,
  state: string,
  leases: readonly object[],
): object {
  const used = chain.settled(deployment);
  // What was not used is given back when it is closed.
  const left = chain.isOver(deployment) ? 0n : deployment.deposit - used;
  return {
    deployment: {
      id: { owner: OWNER, dseq: deployment.dseq },
      state,
      hash: deployment.hash.toString('base64'),
      created_at: deployment.height.toString(),
    },
    leases,
    escrow_account: escrowOf('deployment', deployment.dseq, {
      used,
      left: left < 0n ? 0n : left,
      settledAt: deployment.settledHeight,
      state: chain.isOver(deployment) ? 'closed' : 'open',
    }),
  };
}

const escrowOf = (
  scope: string,
  xid: string,
  { used, left, settledAt, state }: { used: bigint; left: bigint; settledAt: number; state: string },
): object => ({
  id: { scope, xid: `${OWNER}/${xid}` },
  state: {
    owner: OWNER,
    state,
    transferred: [coin(used)],
    settled_at: settledAt.toString(),
    funds: [coin(left)],
    deposits: [{ owner: OWNER, height: '0', source: 'grant', balance: coin(left) }],
  },
});

/** A row of `GET /v1/addresses/{address}/deployments/{skip}/{limit}`. */
export const historyRow = ({ dseq, height }: SimDeployment, status: string): object => ({
  owner: OWNER,
  dseq,
  status,
  createdHeight: height,
  cpuUnits: 0,
  gpuUnits: 1,
  memoryQuantity: 0,
  storageQuantity: 0,
  leases: [],
});

/** `GET /v1/providers/{address}`: of its many fields those that a bid is judged by. */
export const providerRow = (owner: string, isAudited: boolean, uptime7d: number): object => ({
  owner,
  hostUri: `https://${owner}.example:8443`,
  isAudited,
  isOnline: true,
  uptime1d: 1,
  uptime7d,
  uptime30d: 1,
});

/** What a provider says of a service. */
export const serviceRow = (name: string, isReady: boolean): object => {
  const count = isReady ? 1 : 0;
  return {
    name,
    available: count,
    total: 1,
    uris: [],
    observed_generation: 1,
    replicas: 1,
    updated_replicas: 1,
    ready_replicas: count,
    available_replicas: count,
  };
};

/** `GET /v1/user/me`. */
export const USER = {
  id: '3f1c6c1e-0000-4000-8000-000000000001',
  userId: 'auth0|simulated',
  username: 'renter',
  email: 'a@example.com',
  emailVerified: true,
  subscribedToNewsletter: false,
} as const;

/** A row of `GET /v1/wallets`. */
export const walletRow = (creditAmount: number): object => ({
  id: 1,
  userId: USER.id,
  creditAmount,
  address: OWNER,
  denom: 'uact',
  isTrialing: false,
  topUpMinAmountUsd: 20,
  createdAt: '2026-01-01T00:00:00.000Z',
});
