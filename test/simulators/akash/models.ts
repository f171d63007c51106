/** What GPUs cost at the simulated Akash, as the API of its console answers without an account. */

/** Fields as `GET /v1/gpu-prices` of `apps/api/swagger/openapi.json` of akash-network/console (Apache-2.0) has them. */
export const AKASH_MODELS: readonly object[] = [
  model('rtx4090', { ram: '24Gi', form: 'PCIe', available: 11, price: 0.452371 }),
  model('h100', { ram: '80Gi', form: 'SXM5', available: 3, price: 1.6312 }),
  model('a100', { ram: '80Gi', form: 'SXM4', available: 8, price: 0.79 }),
  model('a100', { ram: '40Gi', form: 'PCIe', available: 2, price: 0.71 }),
  model('gtx1070ti', { ram: '8Gi', form: 'PCIe', available: 1, price: 0.06 }),
  // An order cannot ask for one: `sdl-input.schema.yaml` knows NVIDIA alone.
  { ...model('mi100', { ram: '32Gi', form: 'PCIe', available: 1, price: 0.3 }), vendor: 'amd' },
  // All of them are in use.
  model('h200', { ram: '141Gi', form: 'SXM5', available: 0, price: 2.1 }),
  // Nobody made a bid for one, so that there is no price.
  { ...model('v100', { ram: '32Gi', form: 'PCIe', available: 4, price: 1 }), price: null },
];

function model(
  name: string,
  of: { readonly ram: string; readonly form: string; readonly available: number; readonly price: number },
) {
  const availability = { total: of.available + 5, available: of.available };
  return {
    vendor: 'nvidia',
    model: name,
    ram: of.ram,
    interface: of.form,
    availability,
    providerAvailability: { total: 2, available: 1 },
    price: {
      currency: 'USD',
      min: of.price / 2,
      max: of.price * 2,
      avg: of.price * 1.1,
      weightedAverage: of.price,
      med: of.price,
    },
  };
}
