/** What a chaos run notices of keys: those that an account keeps, those that a machine lets in, and those that machines show. */
import assert from 'node:assert/strict';
import type { Provider } from '../../backend-proxy/src/providers/provider.ts';
import { noticed } from './noticed.ts';
import type { Report } from './report.ts';
import type { Far } from './ssh/far-machines.ts';

type Keys = NonNullable<Provider['accountKeys']>;

/** A network that keeps keys by account, and keeps them otherwise than Hitch asks it to. */
const withKeys =
  (change: (keys: Keys) => Partial<Keys>) =>
  (provider: Provider): Provider => ({
    ...provider,
    ...(provider.accountKeys === undefined
      ? {}
      : { accountKeys: { ...provider.accountKeys, ...change(provider.accountKeys) } }),
  });

describe('chaos with keys', function () {
  this.timeout(900_000);

  it('notices a key that is left on an account', async () => {
    const provider = withKeys(() => ({ remove: () => Promise.resolve() }));
    assert.ok((await noticed(['prime'], { provider }, ({ leftKeys }) => leftKeys > 0)) !== null);
  });

  it('notices that somebody else’s key is taken off an account', async () => {
    const provider = withKeys(keys => ({
      list: async (signal, nextPage) => {
        const all = await keys.list(signal, nextPage);
        const other = all.find(({ name }) => name === 'somebody-elses');
        if (other !== undefined) {
          await keys.remove(other.id, signal);
        }
        return all;
      },
    }));
    assert.ok(
      (await noticed(['prime'], { provider }, ({ foreignDestroyed }) => foreignDestroyed > 0)) !== null,
    );
  });

  it('notices a machine that is bought before its key is on the account', async () => {
    const provider = withKeys(() => ({
      add: (name, publicKey) => Promise.resolve({ id: 'key-0', name, publicKey }),
    }));
    assert.ok((await noticed(['prime'], { provider }, ({ lockedOut }) => lockedOut > 0)) !== null);
  });

  // The seeds with which the search begins noticed it when this was written: it is rare that a daemon asks in time.
  for (const [network, seed] of [
    ['vast', 7],
    ['ionet', 17],
    ['runpod', 1],
    ['akash', 14],
    ['prime', 210],
  ] as const) {
    it(`notices a stranger’s machine at an address that ${network} gave out again, where any host key is believed`, async () => {
      const far = (whole: Far): Far => ({
        host: (machine, signal) => whole.host({ ...machine, known: null, secret: null }, signal),
        letInWith: (...args) => whole.letInWith(...args),
        forget: id => {
          whole.forget(id);
        },
      });
      const isNoticed = ({ strangersReached }: Report): boolean => strangersReached > 0;
      assert.ok((await noticed([network], { far }, isNoticed, { seed, recycleChance: 1 })) !== null);
    });
  }
});
