/** A list of Nosana's whose pages have no end. */
import assert from 'node:assert/strict';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import type { Transport } from '../../backend-proxy/src/providers/http/transport.ts';
import { network } from '../../backend-proxy/src/providers/nosana/network.ts';
import { toolsWith } from './catalogue-suite.ts';

describe('the list of an account at Nosana', () => {
  it('is none where its pages lead round in a circle', async () => {
    const cursors = ['a', 'b', 'a', 'b'];
    const transport: Transport = async () => {
      const next = cursors.shift();
      assert.ok(next !== undefined, 'it is asked without end');
      const body = { deployments: [], pagination: { cursor_next: next } };
      return { status: 200, headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) };
    };
    const clock = new VirtualClock();
    const { provider } = network.build({}, toolsWith({ clock, transport, login: { apiKey: 'k' } }));
    await assert.rejects(provider.list(new AbortController().signal), /leads back to a page/);
  });
});
