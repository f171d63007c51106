import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../src/log.ts';

describe('the log', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-log-'));
    file = join(folder, 'logs', 'daemon.log');
  });
  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  });

  const lines = (path = file) =>
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);

  it('writes one JSON line an entry, with its time and level', () => {
    const log = createLog({ file });
    log.info('The daemon listens', { port: 1234 });
    log.error('It broke', { error: 'why,\nin two lines' });
    const [first, second] = lines();
    assert.deepEqual({ ...first, time: '' }, { level: 30, time: '', port: 1234, msg: 'The daemon listens' });
    assert.match(String(first?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual([second?.['level'], second?.['error']], [50, 'why,\nin two lines']);
  });

  it('leaves out fields that are not on the list, whatever they are called', () => {
    createLog({ file }).warn('careful', { token: 'secret', msg: 'other', level: 1, code: 'X' });
    assert.deepEqual(
      lines().map(({ level, code, msg, token }) => [level, code, msg, token]),
      [[40, 'X', 'careful', undefined]],
    );
  });

  it('leaves out what is below its level', () => {
    const log = createLog({ file, level: 'warn' });
    log.debug('a');
    log.info('b');
    log.warn('c');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['c'],
    );
  });

  it('is for its owner only', function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    createLog({ file }).info('x');
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('goes on at the end of the file there is, and puts a long one aside', () => {
    createLog({ file }).info('from before');
    const log = createLog({ file, maxBytes: 200 });
    for (let count = 0; count < 10; count++) {
      log.info('line', { count });
    }
    assert.ok(statSync(file).size <= 300);
    const kept = [...lines(`${file}.1`), ...lines()].map(({ count }) => count);
    // The end of the story without a hole, and not all of it.
    assert.deepEqual(kept, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].slice(-kept.length));
    assert.ok(kept.length < 10);
  });

  it('loses lines, and nothing else, while it cannot be written', () => {
    const inTheWay = join(folder, 'logs');
    writeFileSync(inTheWay, '');
    const log = createLog({ file });
    log.info('lost');
    rmSync(inTheWay);
    log.info('kept');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['kept'],
    );
    assert.ok(existsSync(file));
  });
});
