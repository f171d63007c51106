/** The ways in to machines that are processes, where a test asks for them or puts something between. */
import type { Provider } from '../../src/providers/provider.ts';

/** Each call throws where the network has no such way: it says where ssh leads instead. */
export function waysIn(provider: Provider): Required<Pick<Provider, 'host' | 'dial'>> {
  const missing = (): never => {
    throw new Error(`${provider.title} has no way in of its own.`);
  };
  return {
    host: (instance, rank, signal) => provider.host?.(instance, rank, signal) ?? missing(),
    dial: (id, rank, address, signal) => provider.dial?.(id, rank, address, signal) ?? missing(),
  };
}
