/** Nonsense over the API, the relay and the sockets of a real daemon. More of it: `npm run fuzz -- --seed S --minutes N`. */
import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { needsRealNodes } from '../support/processes.ts';
import { faultOf } from './judge.ts';
import { casesOf, fuzzRun } from './run.ts';
import { send } from './send.ts';
import { Target } from './target.ts';

const CASES = 400;
const CALL = ['host: 127.0.0.1:$port', 'authorization: Bearer $token', 'connection: close'];

/** What a run has found once. */
const FOUND: readonly (Pick<Case, 'name' | 'head'> & { readonly status: number })[] = [
  { name: 'an expectation', head: ['GET /api/clusters HTTP/1.1', ...CALL, 'expect: nonsense'], status: 400 },
  { name: 'no Host', head: ['GET /api/clusters HTTP/1.1', ...CALL.slice(1)], status: 403 },
  {
    name: 'a refusal of Jupyter that is no JSON',
    head: [
      'GET /clusters/$cluster/jupyter/api/contents/%1B%5B2J%E2%80%AE/checkpoints/%F0%9D%95%8F HTTP/1.1',
      ...CALL,
    ],
    status: 404,
  },
  { name: 'CONNECT', head: ['CONNECT evil.example:80 HTTP/1.1', ...CALL], status: 400 },
];

describe('hostile fuzz', function () {
  this.timeout(300_000);
  const target = new Target(true);

  before(async function () {
    needsRealNodes(this);
    await target.start();
  });

  after(() => target.dispose());

  it('makes the same cases of the same seed, and others of another', () => {
    const some = (seed: number): string => {
      const next = casesOf(seed);
      return JSON.stringify(Array.from({ length: 50 }, next));
    };
    assert.equal(some(1), some(1));
    assert.notEqual(some(1), some(2));
  });

  for (const { name, head, status } of FOUND) {
    it(`answers ${name} in the contract’s envelope`, async () => {
      const sent: Case = { name, head, body: [], length: 'none', after: [] };
      // Each of them ends its connection: there is no silence to wait for, only a busy machine.
      const heard = await send(target.names, sent, 60_000);
      assert.ok(heard.toString().startsWith(`HTTP/1.1 ${status.toString()} `), heard.toString());
      assert.equal(faultOf(sent, heard), null);
    });
  }

  it('takes a refusal without the envelope, and a defect, for a fault', () => {
    const sent: Case = { name: '', head: ['GET / HTTP/1.1'], body: [], length: 'none', after: [] };
    const answer = (head: string, body = ''): Buffer =>
      Buffer.from(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length.toString()}\r\n\r\n${body}`);
    assert.match(faultOf(sent, answer('400 Bad Request')) ?? '', /without the envelope/);
    assert.match(faultOf(sent, answer('500 Error', '{}')) ?? '', /a defect/);
    assert.equal(faultOf(sent, answer('200 OK', '{}')), null);
  });

  it('does no harm: no defect, no purchase, bounded memory, and a cell runs afterwards', async () => {
    const report = await fuzzRun(target, 1, cases => cases < CASES);
    assert.deepEqual(report.faults, [], JSON.stringify(report.faults, null, 2));
    assert.equal(report.cases, CASES);
  });
});
