import assert from 'node:assert/strict';
import { forgetAllocatorSettings, FRUGAL_ALLOCATOR } from '@hitch/platform/src/memory.ts';
import { nodeEnvironment } from '../../src/machines/agent-process.ts';

describe('memory settings', () => {
  it('do not reach what an agent starts', () => {
    const environment: NodeJS.ProcessEnv = {
      ...FRUGAL_ALLOCATOR,
      ...nodeEnvironment('hitch-x', { PATH: '/bin' }),
    };
    forgetAllocatorSettings(environment);
    assert.deepEqual(
      Object.keys(environment).filter(name => name.startsWith('MALLOC_')),
      [],
    );
    assert.equal(environment['PATH'], '/bin');
  });

  it('do not come from the environment of the daemon', () => {
    const passed = nodeEnvironment('hitch-x', { ...FRUGAL_ALLOCATOR, PATH: '/bin' });
    assert.deepEqual(
      Object.keys(passed).filter(name => name.startsWith('MALLOC_')),
      [],
    );
  });
});
