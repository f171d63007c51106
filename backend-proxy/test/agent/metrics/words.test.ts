/** Figures in lines that are printed, in Trackio's database, and what a job's environment gets for them. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Output } from '../../../src/agent/jobs/metrics/output.ts';
import { Patterns } from '../../../src/agent/jobs/metrics/patterns.ts';
import { TrackioFolder } from '../../../src/agent/jobs/metrics/trackio.ts';
import { metricVariables } from '../../../src/agent/jobs/metrics/variables.ts';

describe('Figures without a file of their own', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-words-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function printed(output: Output, isOver: boolean): Promise<[string, string, number, number][]> {
    const found: [string, string, number, number][] = [];
    const say =
      (source: string) =>
      (name: string, step: number, _atMs: number, value: number): void => {
        found.push([source, name, step, value]);
      };
    while ((await output.look({ line: say('line'), pattern: say('pattern') }, 1, isOver)) === 'more');
    return found;
  }

  it('reads lines of JSON first, then what a template’s patterns fit, each line once', async () => {
    const log = join(folder, `${'0'.repeat(16)}.log`);
    writeFileSync(
      log,
      '{"step": 1, "loss": 0.5}\nepoch 2: acc=0.75\n(RayTrainWorker pid=12) \u001B[36mepoch 3: acc=nan\u001B[0m\n{"step": 4, ',
    );
    const output = new Output(
      folder,
      new Patterns({ accuracy: 'epoch (?<step>\\d+): acc=(?<value>\\S+)' }, () => undefined),
    );
    assert.deepEqual(await printed(output, false), [
      ['line', 'loss', 1, 0.5],
      ['pattern', 'accuracy', 2, 0.75],
      ['pattern', 'accuracy', 3, Number.NaN],
    ]);
    appendFileSync(log, '"loss": 0.25}');
    assert.deepEqual(await printed(output, false), []);
    assert.deepEqual(await printed(output, true), [['line', 'loss', 4, 0.25]]);
  });

  it('gives a pattern up that would take for ever, says so, and goes on with the others', () => {
    const notes: string[] = [];
    const patterns = new Patterns({ slow: '^(?<value>(a+)+)$', good: 'x=(?<value>\\d+)' }, note =>
      notes.push(note),
    );
    const line = `${'a'.repeat(40)}!`;
    assert.deepEqual(patterns.find([line, 'x=7']), [{ name: 'good', step: null, value: 7 }]);
    assert.deepEqual(patterns.find([line, 'x=8']), [{ name: 'good', step: null, value: 8 }]);
    assert.deepEqual(notes, ['The pattern of “slow” took too long on a line, and is not tried any more.']);
  });

  /** As trackio 0.43.0 makes it (trackio/sqlite_storage.py, init_db), with what these columns mean. */
  function trackio(path: string): DatabaseSync {
    const database = new DatabaseSync(path);
    database.exec(
      'CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL, run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT)',
    );
    return database;
  }
  const row = (database: DatabaseSync, run: string, step: number, metrics: string): void => {
    database
      .prepare('INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)')
      .run('id', '2026-12-01T10:24:18.772163+00:00', run, step, Buffer.from(metrics));
  };
  async function rows(reader: TrackioFolder): Promise<unknown[]> {
    const found: unknown[] = [];
    while (
      (await reader.look(run => (name, step, atMs, value) => found.push([run, name, step, atMs, value]))) ===
      'more'
    );
    return found;
  }

  it('reads Trackio’s rows on', async () => {
    const database = trackio(join(folder, 'project.db'));
    row(database, 'one', 0, '{"loss":2.1,"text":"x","nested":{"a":1}}');
    const reader = new TrackioFolder(folder);
    const atMs = Date.parse('2026-12-01T10:24:18.772Z');
    assert.deepEqual(await rows(reader), [
      ['one', 'loss', 0, atMs, 2.1],
      ['one', 'nested.a', 0, atMs, 1],
    ]);
    row(database, 'one', 1, '{"loss":1.5}');
    row(database, 'one', 2, `{"loss":1.4,"long":"${'x'.repeat(30_000)}"}`);
    assert.deepEqual(await rows(new TrackioFolder(folder, reader.state)), [['one', 'loss', 1, atMs, 1.5]]);
    database.close();
  });

  it('is not held up by a database that is none, or that never ends', async function () {
    this.timeout(60_000);
    writeFileSync(join(folder, 'project.db'), 'no database');
    await assert.rejects(rows(new TrackioFolder(folder)), /Trackio’s database project\.db cannot be read\./);
    rmSync(join(folder, 'project.db'));
    const database = new DatabaseSync(join(folder, 'project.db'));
    database.exec(
      "CREATE VIEW metrics AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT max(id) AS id, '' AS run_name, 0 AS step, '' AS timestamp, '' AS metrics FROM n",
    );
    database.close();
    await assert.rejects(rows(new TrackioFolder(folder, undefined, 2_000)), /cannot be read/);
  });

  it('sets what is not set, and nothing over what a person or a machine says', () => {
    const mlflow = { uri: 'http://127.0.0.1:1', token: 'token', runId: 'run' };
    const made = (given: Record<string, string>): Record<string, string> =>
      metricVariables({ given: { HOME: folder, ...given }, mlflow, trackioFolder: '/t' });
    assert.deepEqual(made({}), {
      RAY_DEDUP_LOGS: '0',
      WANDB_MODE: 'offline',
      TRACKIO_DIR: '/t',
      MLFLOW_TRACKING_URI: mlflow.uri,
      MLFLOW_TRACKING_TOKEN: mlflow.token,
      MLFLOW_RUN_ID: mlflow.runId,
    });
    const given = { MLFLOW_TRACKING_URI: 'mine', TRACKIO_DIR: 'mine', RAY_DEDUP_LOGS: '1' };
    assert.deepEqual(made({ ...given, WANDB_API_KEY: 'key' }), {});
    writeFileSync(join(folder, '.netrc'), 'machine api.wandb.ai login user password key');
    assert.deepEqual(made(given), {});
  });
});
