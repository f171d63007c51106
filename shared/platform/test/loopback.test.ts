import assert from 'node:assert/strict';
import { keepLoopbackDirect, withLoopback } from '../src/loopback.ts';

describe('loopback and proxies', () => {
  it('adds loopback to what goes without a proxy, once, and leaves the rest', () => {
    const all = 'localhost,127.0.0.1,::1,[::1]';
    assert.equal(withLoopback(undefined), all);
    assert.equal(withLoopback(''), all);
    assert.equal(withLoopback('.corp.example, 10.0.0.1'), `.corp.example,10.0.0.1,${all}`);
    assert.equal(withLoopback(all), all);
    assert.equal(withLoopback('a,*'), '*');
  });

  it('puts what either variable says into both, since programs read one of them', () => {
    const environment: NodeJS.ProcessEnv = { NO_PROXY: 'a.example', no_proxy: 'b.example' };
    keepLoopbackDirect(environment);
    assert.equal(environment['NO_PROXY'], environment['no_proxy']);
    assert.match(environment['NO_PROXY'] ?? '', /^a\.example,b\.example,localhost,/);
  });
});
