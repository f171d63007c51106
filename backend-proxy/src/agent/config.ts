/** The file that starts an agent: read once, checked, never written by the agent. */
import { readFileSync, statSync } from 'node:fs';
import { AGENT_PROTOCOL, agentConfigSchema, HitchError, type AgentConfig } from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';

/** @throws HitchError BAD_INPUT with a sentence that never quotes the file's content, which holds secrets. */
export function readAgentConfig(path: string): AgentConfig {
  const config = parse(path, read(path));
  if (config.protocol !== AGENT_PROTOCOL) {
    throw new HitchError(
      'VERSION_MISMATCH',
      `The agent's configuration ${path} speaks protocol ${config.protocol.toString()}, this agent ${AGENT_PROTOCOL.toString()}.`,
      { next: 'Start the agent that came with the daemon.' },
    );
  }
  return config;
}

function read(path: string): string {
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new HitchError('BAD_INPUT', `The agent's configuration ${path} can be read by others.`, {
        next: `Run chmod 600 ${path}.`,
      });
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw error instanceof HitchError
      ? error
      : new HitchError(
          'BAD_INPUT',
          `The agent's configuration ${path} cannot be read: ${errorText(error)}.`,
          {
            cause: error,
          },
        );
  }
}

function parse(path: string, text: string): AgentConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HitchError('BAD_INPUT', `The agent's configuration ${path} is not JSON.`);
  }
  const parsed = agentConfigSchema.safeParse(value);
  if (parsed.success) {
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  throw new HitchError(
    'BAD_INPUT',
    `The agent's configuration ${path} is not valid at ${issue?.path.join('.') ?? 'its top'}: ${issue?.message ?? 'unknown'}.`,
  );
}
