/** `node agent.mjs --config <file>`: the program that the daemon puts on each node. */
import './memory.ts';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HitchError } from '@hitch/contract';
import { keepTime, steadyClockBeside } from '@hitch/platform/src/kept-time.ts';
import { createLog, errorText } from '@hitch/platform/src/log.ts';
import { keepLoopbackDirect } from '@hitch/platform/src/loopback.ts';
import { giveBackWhenQuiet, giveMemoryBack } from '@hitch/platform/src/memory.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { Agent } from './agent.ts';
import { readAgentConfig } from './config.ts';

/** By then Jupyter Server has been found to serve, or is waited for with nothing else to do. */
const STARTED_AFTER_MS = 5_000;

async function main(): Promise<void> {
  keepLoopbackDirect();
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) {
    throw new Error('The agent needs --config <file>.');
  }
  const config = readAgentConfig(values.config);
  const log = createLog({ file: join(config.stateFolder, 'logs', 'agent.log') });
  // Its folder may have to be made first; then there is nothing that an earlier agent has left.
  const timeFile = join(config.stateFolder, 'clock.json');
  const clock = steadyClockBeside(timeFile);
  keepTime(clock, timeFile, log);
  const agent = await Agent.create({
    config,
    clock,
    ids: createIds(clock, systemRandom),
    log,
  });
  process.on('unhandledRejection', error =>
    log.error('A promise was left alone', { error: errorText(error) }),
  );
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => void agent.leave().then(() => process.exit(0)));
  }
  void agent.ended.then(() => process.exit(0));
  await agent.start();
  clock.setTimer(giveMemoryBack, STARTED_AFTER_MS);
  giveBackWhenQuiet(clock);
}

/** A sentence for whoever started the agent and reads its log. */
function startError(error: unknown): string {
  return error instanceof HitchError && error.next !== undefined
    ? `${error.message} ${error.next}`
    : errorText(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${startError(error)}\n`);
  process.exit(1);
});
