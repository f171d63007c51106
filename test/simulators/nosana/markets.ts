/**
 * Nosana’s markets. Fields as in `@nosana/api`'s fixtures (MIT), `packages/api` of nosana-ci/nosana-kit; that a price may be
 * null, that a market may have no GPU, and that there are markets of several, as `lib/pricing.ts` and the landing page's
 * `markets` component of Nosana's own programs provide for.
 */
export interface NosanaMarket {
  readonly address: string;
  readonly slug: string;
  readonly usd_reward_per_hour: number | null;
  readonly network_fee_percentage: number;
  readonly gpu_types: readonly string[] | null;
}

export const NOSANA_MARKETS: readonly NosanaMarket[] = [
  market(
    '4090-community',
    'COMMUNITY',
    0.218175,
    ['NVIDIA GeForce RTX 4090 D', 'NVIDIA GeForce RTX 4090'],
    24,
  ),
  market('3090', 'PREMIUM', 0.1776, ['NVIDIA GeForce RTX 3090'], 24),
  market('a100-80gb', 'PREMIUM', 0.9, ['NVIDIA A100-SXM4-80GB', 'NVIDIA A100 80GB PCIe'], 80),
  market('8x-a5000', 'PREMIUM', 2.4, ['NVIDIA RTX A5000'], 24),
  { ...market('h100', 'PREMIUM', 1.5, ['NVIDIA H100 80GB HBM3'], 80), usd_reward_per_hour: null },
  { ...market('testgrid', 'OTHER', 0.05, [], 0), gpu_types: null },
];

function market(slug: string, type: string, reward: number, gpus: readonly string[], vram: number) {
  return {
    address: `market${slug.replaceAll('-', '')}`,
    slug: `nvidia-${slug}`,
    name: `NVIDIA ${slug.replaceAll('-', ' ')}`,
    type,
    usd_reward_per_hour: reward,
    nos_reward_per_second: 0.000196,
    nos_job_price_per_second: 0.0002156,
    network_fee_percentage: 10,
    gpu_types: gpus,
    client: false,
    lowest_vram: vram,
  };
}

/** What renting in it costs an hour, in micro-USD: the host's reward and the network's fee, rounded up. */
export const rateOf = ({ usd_reward_per_hour: reward, network_fee_percentage: fee }: NosanaMarket): bigint =>
  BigInt(Math.ceil(Math.round((reward ?? 0) * 1e6 * (100 + fee)) / 100));
