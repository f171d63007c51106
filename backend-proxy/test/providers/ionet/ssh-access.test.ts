import assert from 'node:assert/strict';
import { readSshAccess } from '../../../src/providers/ionet/ssh-access.ts';

describe('where io.net says that ssh leads', () => {
  const cases: readonly (readonly [string, readonly [string, number, string] | null])[] = [
    ['ssh -p 22022 ubuntu@192.0.2.7', ['192.0.2.7', 22_022, 'ubuntu']],
    ['ssh ubuntu@192.0.2.7 -p 22022', ['192.0.2.7', 22_022, 'ubuntu']],
    ['ssh -p22022 -i ~/.ssh/id ubuntu@192.0.2.7', ['192.0.2.7', 22_022, 'ubuntu']],
    ['ssh -o StrictHostKeyChecking=no -o Port=22022 -l root gpu.example', ['gpu.example', 22_022, 'root']],
    ['  root@192.0.2.7  ', ['192.0.2.7', 22, 'root']],
    ['root@192.0.2.7:22022', ['192.0.2.7', 22_022, 'root']],
    ['192.0.2.7', ['192.0.2.7', 22, 'ubuntu']],
    ['ssh://root@[2001:db8::7]:22022', ['2001:db8::7', 22_022, 'root']],
    ['root@2001:db8::7', ['2001:db8::7', 22, 'root']],
    ['ssh -tt root@gpu-1.example', ['gpu-1.example', 22, 'root']],
    ['', null],
    ['ssh', null],
    ['see your dashboard', null],
    ['ssh root@192.0.2.7 whoami', null],
    ['ssh -J jump.example root@10.0.0.7', null],
    ['ssh -o ProxyCommand=nc root@10.0.0.7', null],
    ['root@192.0.2.7:0', null],
    ['root@192.0.2.7:70000', null],
    ['ssh -p many root@192.0.2.7', null],
    ['-oProxyCommand=evil@192.0.2.7', null],
    ['root@-oProxyCommand=evil', null],
    ['$(evil)@192.0.2.7', null],
    ['root@192.0.2.7;evil', null],
  ];
  cases.forEach(([text, said]) => {
    it(`${JSON.stringify(text)} is ${said === null ? 'not understood' : said.join(' ')}`, () => {
      const read = readSshAccess(text);
      const [host, port, user] = said ?? [];
      assert.deepEqual(read, said === null ? null : { kind: 'rented', host, port, user, hostKeys: null });
    });
  });
});
