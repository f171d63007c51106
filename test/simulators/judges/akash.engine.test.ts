/**
 * Akash's own SDK, with which its console makes a manifest of an SDL: what Hitch takes for the mark of an order is what the chain
 * will know it by. Its API has no client of its own.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { workloadOf } from '../../../backend-proxy/src/providers/akash/machine.ts';
import { hashOf, manifestOf, sdlOf } from '../../../backend-proxy/src/providers/akash/workload.ts';
import { akash } from '../../contract/akash-rig.ts';
import { aRequest, signal } from '../../contract/provider-rig.ts';
import { NASTY } from '../../support/nasty-strings.ts';
import { manifestText, readSdl } from '../akash/sdl.ts';
import { moduleOf, needsModule, nodeJudge } from './judge.ts';
import type { JsonRpc } from './json-rpc.ts';

const SDK = '@akashnetwork/chain-sdk/dist/esm/index.js';
const PUBLISHED = new URL('../akash/published/sdl/', import.meta.url);

/** Its own schema wants a mount to begin with a slash, and this one of its fixtures has one that does not. */
const REFUSED = ['storage-classes'];

const judgedSchema = z.object({ manifest: z.string(), hash: z.string(), groupSpecs: z.string() });

describe('Akash’s own SDK', () => {
  let sdk: JsonRpc | null = null;
  before(function () {
    needsModule(this, SDK);
    sdk = nodeJudge('akash.mjs', { AKASH_SDK: moduleOf(SDK) });
  });
  after(() => sdk?.[Symbol.asyncDispose]());
  const judged = (text: string) => {
    assert.ok(sdk !== null);
    return sdk.read(judgedSchema, 'manifest', { sdl: text });
  };

  it('makes the manifest and the hash that Hitch makes, of whatever is offered', async () => {
    const subject = akash();
    const { provider } = subject;
    for (const offer of await provider.offers(signal)) {
      const request = await aRequest(provider, offer);
      const workload = workloadOf({ ...request, terms: { ...request.terms, diskGiB: 77 } });
      const { manifest, hash } = await judged(sdlOf(workload, 1234n));
      assert.equal(manifest, manifestOf(workload));
      assert.equal(hash, hashOf(manifest));
    }
    await subject.dispose();
  });

  it('makes the same where what stands in it is nasty', async () => {
    const subject = akash();
    const { provider } = subject;
    const request = await aRequest(provider);
    for (const { text } of NASTY) {
      const workload = workloadOf({ ...request, ref: text });
      assert.equal(
        (await judged(sdlOf(workload, 1n))).hash,
        hashOf(manifestOf(workload)),
        JSON.stringify(text),
      );
    }
    await subject.dispose();
  });

  it('takes the limit that Hitch sets for what an hour may cost', async () => {
    const subject = akash();
    const { provider } = subject;
    const workload = workloadOf(await aRequest(provider));
    const { groupSpecs } = await judged(sdlOf(workload, 1234n));
    assert.match(groupSpecs, /"price":\{"amount":"1234","denom":"uact"\}/);
    await subject.dispose();
  });

  it('makes of the published SDLs what the simulator makes of them', async () => {
    for (const name of readdirSync(PUBLISHED)) {
      const text = readFileSync(new URL(`${name}/input.yaml`, PUBLISHED), 'utf8');
      if (REFUSED.includes(name)) {
        await assert.rejects(judged(text), /absolutePath/);
        continue;
      }
      const found = readSdl(text);
      const { manifest } = await judged(text);
      if ('sdl' in found) {
        assert.equal(manifestText(found.sdl), manifest, name);
      } else {
        assert.equal(name, 'ip-endpoint', found.problem);
      }
    }
  });
});
