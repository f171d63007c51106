/** What is asked of the relay, of streams of events, of the window of approvals, and by ssh. */
import { pick, type Random } from '@hitch/platform/src/random.ts';
import { nextMethod } from './api-cases.ts';
import type { Case } from './case.ts';
import { nastyText } from './nasty-text.ts';

const PLACES = [
  '/clusters/$cluster/jupyter/api/kernels',
  '/clusters/$cluster/jupyter/api/kernels/$kernel',
  '/clusters/$cluster/jupyter/api/kernels/*',
  '/clusters/$cluster/jupyter/api/sessions',
  '/clusters/$cluster/jupyter/api/sessions/*',
  '/clusters/$cluster/jupyter/api/kernelspecs/*',
  '/clusters/$cluster/jupyter/api/contents/*',
  '/clusters/$cluster/jupyter/api/contents/*/checkpoints/*',
  '/clusters/$cluster/jupyter/api/kernels/*/channels',
  '/clusters/$cluster/jupyter/*',
  '/clusters/$cluster/raw-files?path=*',
  '/clusters/$cluster/raw-files?path=asked.txt&offset=*',
  '/clusters/$cluster/terminals/*/socket',
  '/api/jobs/*/log-bytes',
  '/api/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV/log-bytes?from=*&run=*',
  '/clusters/$other/jupyter/api/kernels',
  '/clusters/*/jupyter/api/kernels',
  '/ssh/*',
  '/ssh/fuzz',
  '/approvals/*',
  '/approvals/*/state',
  '/approvals/*/answer',
  '/approvals/apr_01ARZ3NDEKTSV4RRFFQ69G5FAV/answer',
  '/approvals/apr_01ARZ3NDEKTSV4RRFFQ69G5FAV',
  '/api/events?cursor=*',
  '/api/events',
  '/challenge',
  '/*',
];
const BODIES = [
  '',
  '{',
  '[]',
  'null',
  '{"nonce":1}',
  '{"secret":"x","yes":true}',
  '{"name":"\\ud800"}',
  '{"path":"../x","type":"file"}',
];

export function relayCase(random: Random): Case {
  const place = pick(random, PLACES);
  const encoded = random.next() < 0.7;
  const path = place.replaceAll('*', () => {
    const text = nastyText(random).toWellFormed();
    // Only what ends a request's line is kept out where the text stands as it is.
    return encoded ? encodeURIComponent(text) : text.replace(/[\s\u0100-\uffff]/g, '');
  });
  // Nothing that is honest about what the run needs afterwards.
  const method = random.next() < 0.6 ? 'GET' : nextMethod(random);
  const inWindow = path.startsWith('/approvals') && random.next() < 0.8;
  const asks = ['host: 127.0.0.1:$port', ...(inWindow ? [] : ['authorization: Bearer $token'])];
  const fetched = inWindow
    ? [
        `origin: ${pick(random, ['null', 'http://127.0.0.1:$port', 'http://evil.example'])}`,
        `sec-fetch-dest: ${pick(random, ['document', 'iframe', 'empty'])}`,
      ]
    : [];
  const upgrades =
    random.next() < 0.15
      ? ['connection: Upgrade', `upgrade: ${pick(random, ['ssh', 'websocket', 'x', ''])}`]
      : ['connection: close'];
  return {
    name: `${method} ${place}`,
    head: [`${method} ${path} HTTP/1.1`, ...asks, ...fetched, ...upgrades],
    body: method === 'GET' ? [] : [pick(random, BODIES)],
    length: 'right',
    after: upgrades.length > 1 ? [nastyText(random)] : [],
  };
}
