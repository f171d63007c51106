/** What the extension and the page of templates say to each other. */
import assert from 'node:assert/strict';
import { HitchError, type HitchClient, type TemplateDetails } from '@hitch/contract';
import type { State } from '../src/daemon/state.ts';
import { Emitter } from '../src/emitter.ts';
import { type ToPage, toPageSchema } from '../src/page/messages.ts';
import { TemplateTalk } from '../src/page/template-talk.ts';
import { testDetails, testTemplate } from '../../shared/views/test/support/templates.ts';
import { stateOf } from './sample.ts';

const CHOICE = { template: 'classifier', preset: 'smoke', values: { steps: '4000' } };
const OWN = { capMicroUsd: '2000000', timeMs: 14_400_000, practice: true };
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function talkOf(
  show: (input: typeof CHOICE) => Promise<TemplateDetails>,
  run: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
) {
  let state: State = { ...stateOf([]), templates: [testTemplate()] };
  const changes = new Emitter<void>();
  const posted: ToPage[] = [];
  const rented: TemplateDetails[] = [];
  const reported: string[] = [];
  const ran: unknown[] = [];
  let lists = 0;
  const talk = new TemplateTalk(
    {
      state: () => state,
      // As much of the client as the talk uses.
      client: () => ({ api: { templates: { show } } }) as unknown as HitchClient,
      onChange: listener => changes.listen(listener),
      post: message => posted.push(toPageSchema.parse(message)),
      list: () => {
        lists++;
        return Promise.resolve();
      },
      rent: details => {
        rented.push(details);
      },
      run: (details, choice, limits, signal) => {
        ran.push({ template: details.info.id, choice, limits });
        return run(signal);
      },
      ownLimits: () => OWN,
      addFolder: () => undefined,
      report: problem => reported.push(problem),
    },
    null,
  );
  const set = (change: Partial<State>): void => {
    state = { ...state, ...change };
    changes.fire();
  };
  return { talk, posted, rented, ran, reported, set, lists: () => lists };
}

describe('the talk with the page of templates', () => {
  it('tells the list once it is asked for, its changes, and that the daemon is away', () => {
    const { talk, posted, set, lists } = talkOf(() => Promise.reject(new Error('not asked')));
    set({});
    assert.equal(posted.length, 0);
    talk.take({ kind: 'ready', kept: { view: 'templates', choice: CHOICE } });
    set({});
    set({ templates: [testTemplate(), testTemplate({ id: 'other' })] });
    set({ connection: 'lost', problem: 'It does not answer.' });
    assert.deepEqual(
      posted.map(each =>
        each.kind === 'templates' ? [each.templates?.length, each.choice?.preset, each.offline] : [],
      ),
      [
        [1, 'smoke', null],
        [2, 'smoke', null],
        [2, 'smoke', 'It does not answer.'],
      ],
    );
    assert.equal(lists(), 1);
    talk.refresh();
    assert.equal(lists(), 1, 'nobody is asked who is away');
    talk.choose('other');
    const last = posted.at(-1);
    assert.deepEqual(last?.kind === 'templates' ? last.choice : null, {
      template: 'other',
      preset: null,
      values: {},
    });
  });

  it('asks the daemon about each choice, and rents by the daemon’s own word', async () => {
    const asked: unknown[] = [];
    const { talk, posted, rented } = talkOf(input => {
      asked.push(input);
      return Promise.resolve(testDetails(CHOICE));
    });
    talk.take({ kind: 'template-show', question: 7, choice: CHOICE });
    talk.take({ kind: 'template-rent', question: 8, choice: { ...CHOICE, details: 'a stranger’s' } });
    await settled();
    assert.deepEqual(asked, [CHOICE, CHOICE]);
    const [answer] = posted;
    assert.equal(answer?.kind, 'template');
    assert.equal(rented[0]?.form?.fields[0]?.problem, '“Steps” is 4000; it must be at most 1000.');
  });

  it('runs one by the daemon’s own word, and tells how that ended: nothing to say, a refusal at its field, left', async () => {
    const limits = { capMicroUsd: '500000', timeMs: 1_800_000, practice: true };
    const refusal = new HitchError('CAP_TOO_LOW', 'The limit is too low.', { field: 'capMicroUsd' });
    const answers: ((signal: AbortSignal) => Promise<void>)[] = [
      () => Promise.resolve(),
      () => Promise.reject(refusal),
      signal => new Promise((_give, fail) => signal.addEventListener('abort', () => fail(new Error('left')))),
    ];
    const { talk, posted, ran } = talkOf(
      () => Promise.resolve(testDetails(CHOICE)),
      signal => answers.shift()?.(signal) ?? Promise.resolve(),
    );
    for (const question of [11, 12, 13]) {
      talk.take({ kind: 'template-run', question, choice: CHOICE, limits });
      await settled();
    }
    assert.equal(posted.length, 2, 'the third still waits');
    talk.take({ kind: 'abort', question: 13 });
    await settled();
    assert.deepEqual(ran[0], { template: 'classifier', choice: CHOICE, limits });
    assert.deepEqual(posted, [
      { kind: 'template-ran', question: 11, problem: null },
      {
        kind: 'template-ran',
        question: 12,
        problem: { field: 'capMicroUsd', sentence: 'The limit is too low.' },
      },
      { kind: 'template-ran', question: 13, problem: null },
    ]);
  });

  it('says why one could not be asked, and takes nothing that it does not know', async () => {
    const { talk, posted, reported } = talkOf(() =>
      Promise.reject(new HitchError('BAD_INPUT', 'There is no template “classifier”.')),
    );
    talk.take({ kind: 'template-show', question: 9, choice: CHOICE });
    talk.take({ kind: 'template-rent', question: 1, choice: { template: '' } });
    await settled();
    assert.deepEqual(posted, [
      { kind: 'problem', question: 9, sentence: 'There is no template “classifier”.' },
    ]);
    assert.deepEqual(reported, ['A page sent a message that is not supported']);
  });
});
