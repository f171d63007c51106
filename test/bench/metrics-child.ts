/** Takes the figures of one event file as the agent does, and gives them to the daemon's columns. Says how much processor time that took. */
import { openSync, writeSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { MOST_POINTS_PAGE } from '@hitch/contract/src/metrics/wire.ts';
import { maskedCrc32c } from '../../backend-proxy/src/agent/jobs/metrics/crc32c.ts';
import { PointsFile } from '../../backend-proxy/src/agent/jobs/metrics/points-file.ts';
import { EventFile } from '../../backend-proxy/src/agent/jobs/metrics/tensorboard.ts';
import { Columns } from '../../backend-proxy/src/jobs/metric-columns.ts';

const POINTS = 200_000;
const TAGS = ['loss', 'lr', 'grad_norm', 'accuracy'];

/** An event of one scalar, as tensorboardX writes it. */
function record(step: number, tag: string, value: number): Buffer {
  const name = Buffer.from(tag);
  const scalar = Buffer.concat([Buffer.of(0x0a, name.length), name, Buffer.of(0x15), Buffer.alloc(4)]);
  scalar.writeFloatLE(value, scalar.length - 4);
  const summary = Buffer.concat([Buffer.of(0x0a, scalar.length), scalar]);
  const steps: number[] = [];
  for (let left = step; ; left = Math.floor(left / 128)) {
    steps.push(left < 128 ? left : (left % 128) + 128);
    if (left < 128) {
      break;
    }
  }
  const time = Buffer.alloc(8);
  time.writeDoubleLE(1.8e9 + step);
  const event = Buffer.concat([
    ...[Buffer.of(0x09), time, Buffer.of(0x10, ...steps)],
    ...[Buffer.of(0x2a, summary.length), summary],
  ]);
  const whole = Buffer.alloc(16 + event.length);
  whole.writeBigUInt64LE(BigInt(event.length), 0);
  whole.writeUInt32LE(maskedCrc32c(whole, 0, 8), 8);
  event.copy(whole, 12);
  whole.writeUInt32LE(maskedCrc32c(whole, 12, 12 + event.length), 12 + event.length);
  return whole;
}

const folder = process.argv[2] ?? '';
const path = join(folder, 'events.out.tfevents.1');
const output = openSync(path, 'w');
for (let point = 0; point < POINTS; point++) {
  const step = Math.floor(point / TAGS.length);
  writeSync(output, record(step, TAGS[point % TAGS.length] ?? '', Math.exp(-step / 9_000)));
}
closeSync(output);

const before = process.cpuUsage();
const points = new PointsFile(join(folder, 'points'), 1);
const file = new EventFile(path);
const take = points.takerOf('tensorboard', '.');
for (let looked = 'more'; looked === 'more';) {
  looked = await file.look(take);
  await points.save(() => file.state);
}
const columns = new Columns();
for (let at = 0; at < points.end;) {
  const page = await points.page({ from: at, most: MOST_POINTS_PAGE, names: 0 });
  columns.add(page.series, Buffer.from(page.data, 'base64'));
  at = page.next;
}
const { user, system } = process.cpuUsage(before);
const kept = columns.all.reduce((sum, { count }) => sum + count, 0);
if (kept !== POINTS) {
  throw new Error(`${kept.toString()} of ${POINTS.toString()} points were kept`);
}
process.stdout.write(JSON.stringify({ points: kept, ms: (user + system) / 1_000 }));
