/** What `hitch job logs` writes of pages that a machine gives, an honest one and one that is not. */
import assert from 'node:assert/strict';
import { type Job, type JobLogPage, LOG_FACTS } from '@hitch/contract';
import type { Context } from '../../src/cli/context.ts';
import { writeLog } from '../../src/cli/jobs/follow-job.ts';

type Page = Pick<JobLogPage, 'from' | 'endByte' | 'isOver'> & { readonly bytes: Uint8Array };

/** @returns what was written as JSON lines, the notes, what was missing, how often the machine was asked. */
async function written(page: (from: number) => Page, json = true) {
  const texts: string[] = [];
  const notes: string[] = [];
  let asked = 0;
  const raw = (path: string): Promise<Response> => {
    asked += 1;
    assert.ok(asked < 50, 'it is asked without end');
    const from = Number(new URL(path, 'http://localhost').searchParams.get('from'));
    const { bytes, ...rest } = page(from);
    const facts = JSON.stringify({ run: 1, ...rest });
    return Promise.resolve(new Response(Buffer.from(bytes), { headers: { [LOG_FACTS]: facts } }));
  };
  const over = { runs: [{ number: 1 }], state: 'succeeded' };
  const context = {
    clock: { sleep: () => Promise.resolve() },
    session: () => Promise.resolve({ client: { raw }, api: { jobs: { get: () => Promise.resolve(over) } } }),
    io: {
      jsonLine: (line: { text: string }) => texts.push(line.text),
      bytes: (data: Uint8Array) => Promise.resolve(texts.push(Buffer.from(data).toString('latin1'))),
      note: (note: string) => notes.push(note),
      endOutput: () => undefined,
    },
  } as unknown as Context;
  const job = { id: 'job_1', name: 'train' } as unknown as Job;
  const missing = await writeLog(context, job, { json, from: 0, follow: true }, new AbortController().signal);
  return { text: texts.join(''), notes, missing, asked };
}

describe('the log of a job', () => {
  it('keeps a character whole that lies across two pages', async () => {
    const bytes = Buffer.from('Verlust: 0,5 € 🙂\n');
    for (let cut = 1; cut < bytes.length; cut++) {
      const { text, missing } = await written(from => {
        const next = from < cut ? cut : bytes.length;
        return { from, bytes: bytes.subarray(from, next), endByte: bytes.length, isOver: true };
      });
      assert.equal(text, bytes.toString());
      assert.equal(missing, 0);
    }
  });

  it('says what a machine does not give of what it says that there is, and ends', async () => {
    const none = (from: number): Page => ({
      from,
      bytes: new Uint8Array(),
      endByte: 2048,
      isOver: true,
    });
    const { missing, notes, asked } = await written(none);
    assert.equal(missing, 2048);
    assert.match(notes.join(), /does not give the last 2 kB of this log/);
    assert.ok(asked <= 5);
  });

  it('says where a part is not kept', async () => {
    const { text, missing, notes } = await written(from =>
      from < 5
        ? { from: 5, bytes: Buffer.from('ab'), endByte: 7, isOver: true }
        : { from, bytes: new Uint8Array(), endByte: 7, isOver: true },
    );
    assert.equal(text, 'ab');
    assert.equal(missing, 5);
    assert.match(notes.join(), /5 bytes of this log are not kept/);
  });
});
