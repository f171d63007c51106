import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { MemoryKeychain } from './memory-keychain.ts';
import { SecretStore } from '../../src/secrets/secret-store.ts';

describe('secrets', () => {
  let folder = '';
  let path = '';
  let keychain: MemoryKeychain;
  let secrets: SecretStore;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-secrets-'));
    path = join(folder, 'secrets.json');
    keychain = new MemoryKeychain();
    secrets = new SecretStore(path, keychain);
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('lie in the keychain; the file has only their names', async () => {
    await secrets.set('HF_TOKEN', 'hf_very_secret');
    await secrets.set('WANDB_API_KEY', 'w');
    assert.deepEqual(await secrets.list(), {
      names: ['HF_TOKEN', 'WANDB_API_KEY'],
      kind: 'keychain',
      warning: null,
    });
    assert.equal(keychain.entries.get('HF_TOKEN'), 'hf_very_secret');
    assert.ok(!readFileSync(path, 'utf8').includes('hf_very_secret'));
    assert.deepEqual(await secrets.values(['HF_TOKEN', 'NOT_THERE']), { HF_TOKEN: 'hf_very_secret' });
  });

  it('lie in a file for their owner alone where there is no keychain, and that is said', async () => {
    keychain.broken = 'no Secret Service';
    await secrets.set('HF_TOKEN', 'hf_very_secret');
    chmodSync(path, 0o644);
    await secrets.set('OTHER', 'x');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const list = await secrets.list();
    assert.equal(list.kind, 'file');
    assert.match(
      list.warning ?? '',
      /keychain cannot be used \(no Secret Service\): secrets lie in .* not encrypted/,
    );
    assert.deepEqual(await secrets.values(['HF_TOKEN']), { HF_TOKEN: 'hf_very_secret' });
  });

  it('move into the keychain when they are set again once there is one', async () => {
    keychain.broken = 'locked';
    await secrets.set('HF_TOKEN', 'hf_very_secret');
    keychain.broken = null;
    assert.match((await secrets.list()).warning ?? '', /set them again to move them/);
    await secrets.set('HF_TOKEN', 'hf_very_secret');
    assert.ok(!readFileSync(path, 'utf8').includes('hf_very_secret'));
    assert.equal((await secrets.list()).warning, null);
  });

  it('are forgotten everywhere when removed', async () => {
    await secrets.set('HF_TOKEN', 'x');
    await secrets.remove('HF_TOKEN');
    assert.deepEqual([keychain.entries.size, (await secrets.list()).names], [0, []]);
    await assert.rejects(
      secrets.remove('HF_TOKEN'),
      (error: unknown) => error instanceof HitchError && error.code === 'NOT_FOUND',
    );
  });

  it('stand in no error, whatever goes wrong', async () => {
    keychain.refuses = true;
    await assert.rejects(secrets.set('HF_TOKEN', 'hf_very_secret'), (error: unknown) => {
      assert.ok(error instanceof HitchError);
      assert.ok(!JSON.stringify(error.toEnvelope()).includes('hf_very_secret'));
      return true;
    });
    writeFileSync(path, '{"secrets":{"HF_TOKEN":"hf_very_secret",');
    await assert.rejects(secrets.list(), (error: unknown) => {
      assert.ok(error instanceof HitchError);
      assert.match(error.message, /is damaged/);
      assert.ok(!String(error.cause).includes('hf_very_secret'));
      return true;
    });
  });
});
