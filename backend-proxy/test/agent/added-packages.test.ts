import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addedPackageSchema, agentEnvironmentSchema } from '@hitch/contract';
import { AddedPackages } from '../../src/agent/environment/added-packages.ts';

describe('packages that people added on a machine', () => {
  it('are those whose names and versions are some, whatever folders lie there', function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'added-'));
    for (const name of [
      'numpy-2.5.5.dist-info',
      'zope_interface-7.2.dist-info',
      'pip-26.0.dist-info',
      '--index-url=https:x-1.0.dist-info',
      '-r-1.dist-info',
      'a b-1.0.dist-info',
      'torch-2.15.0+cu132.dist-info',
    ]) {
      mkdirSync(join(folder, 'lib', 'python3.12', 'site-packages', name), { recursive: true });
    }
    const list = new AddedPackages(folder).list().map(({ name, version }) => `${name} ${version}`);
    assert.deepEqual(list.toSorted(), ['numpy 2.5.5', 'torch 2.15.0+cu132', 'zope-interface 7.2']);
    rmSync(folder, { recursive: true });
  });

  it('are no options of pip, whatever a machine says', () => {
    for (const name of ['--index-url=https://evil.example', '-r', 'a b', 'a;b', '', 'a\n--pre']) {
      assert.ok(!addedPackageSchema.safeParse({ name, version: '1.0', atMs: 0 }).success, name);
    }
    for (const version of ['1.0 --pre', '1.0;', '@ https://evil.example/x.whl', '']) {
      assert.ok(!addedPackageSchema.safeParse({ name: 'a', version, atMs: 0 }).success, version);
    }
    const told = (add: string) => ({ id: null, python: '/p', generation: 0, add: [add] });
    assert.ok(agentEnvironmentSchema.safeParse(told('a-b==1!2.0+x')).success);
    for (const add of ['a', 'a==1==2', '--pre==1', 'a @ https://evil.example']) {
      assert.ok(!agentEnvironmentSchema.safeParse(told(add)).success, add);
    }
  });
});
