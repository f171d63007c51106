import assert from 'node:assert/strict';
import { alertsOf } from '../src/status/alerts.ts';
import { at, cluster, NOW } from './sample.ts';

const titleOf = () => 'Vast';
const ending = (stopAtMs: number, change = {}) =>
  cluster({ caps: { totalMicroUsd: '2000000', stopAtMs, idleMs: null }, ...change });

describe('what a person is told although they look elsewhere', () => {
  it('is that a cluster stops within ten minutes, once for one stop time', () => {
    const [first] = alertsOf([ending(NOW + 9 * 60_000)], NOW, titleOf);
    assert.equal(
      first?.text,
      'llm-dev stops in 9 min ($1.13 of $2.00). It is destroyed then; nothing is saved.',
    );
    assert.deepEqual(first.actions, ['extend', 'stop']);
    const [later] = alertsOf([ending(NOW + 9 * 60_000)], NOW + 60_000, titleOf);
    assert.equal(later?.key, first.key);
    const [extended] = alertsOf([ending(NOW + 69 * 60_000)], NOW + 60 * 60_000, titleOf);
    assert.notEqual(extended?.key, first.key);
  });

  it('names what is saved', () => {
    const saving = ending(NOW + 60_000, { save: { paths: ['results'], toFolder: null } });
    assert.match(
      alertsOf([saving], NOW, titleOf)[0]?.text ?? '',
      /~\/work\/results is saved, then it is destroyed/,
    );
  });

  it('is nothing while all is well, or when it already stops', () => {
    assert.deepEqual(alertsOf([cluster()], NOW, titleOf), []);
    assert.deepEqual(alertsOf([ending(NOW + 60_000, { phase: 'stopping' })], NOW, titleOf), []);
  });

  it('is that one does not answer, without a claim about its network', () => {
    const silent = cluster({ phase: 'unreachable', phaseSinceMs: at(14, 2) });
    assert.equal(
      alertsOf([silent], NOW, titleOf)[0]?.text,
      'llm-dev has not answered since 14:02; assume $0.42/h. Work may continue; your stop limits still apply.',
    );
  });

  it('is that one is over and may still bill', () => {
    const [alert] = alertsOf([cluster({ phase: 'failed' })], NOW, titleOf);
    assert.match(alert?.text ?? '', /Vast has not confirmed that it is gone/);
    assert.deepEqual(alertsOf([cluster({ phase: 'failed', practice: true })], NOW, titleOf), []);
  });
});
