/** What of an agent's configuration makes it another agent. */
import * as z from 'zod';

/** The config without its limits and its environment: those change, and an agent that runs is told them over its socket. */
export function lastingConfig(config: string): string {
  const {
    watchdog: _limits,
    environment: _environment,
    ...rest
  } = z.looseObject({}).parse(JSON.parse(config));
  return JSON.stringify(rest);
}
