/** Running cells through the agent's kernel socket, as a stock client does. */
import { decodeMessage, encodeMessage, KERNEL_PROTOCOL_V1 } from '@hitch/contract';
import * as z from 'zod';
import { executeRequest, newId } from '../kernels/clients.ts';
import type { RunningAgent } from './running-agent.ts';

const kernelSchema = z.object({ id: z.string() });

export async function startKernel(agent: RunningAgent): Promise<string> {
  const answer = await agent.call('POST', '/jupyter/api/kernels', {});
  if (answer.status !== 201) {
    throw new Error(`no kernel: ${answer.status.toString()} ${answer.text}`);
  }
  return kernelSchema.parse(answer.json).id;
}

/** Runs a cell to its end. @returns what it printed and, after it, `Error: …` when it raised. */
export function runCell(
  agent: RunningAgent,
  kernelId: string,
  code: string,
  cellId?: string,
): Promise<string> {
  const session = newId();
  const socket = agent.socket(`/kernels/${kernelId}/channels?session_id=${session}`, [KERNEL_PROTOCOL_V1]);
  const asked = executeRequest(session, code, cellId);
  return new Promise((resolve, reject) => {
    let printed = '';
    // A kernel says the end on two channels, and either may come first.
    const missing = new Set(['idle', 'execute_reply']);
    socket.on('error', reject);
    socket.on('close', code => reject(new Error(`the socket closed with ${code.toString()}`)));
    socket.on('open', () => socket.send(encodeMessage(asked)));
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(data);
      if (message.parentHeader.msg_id !== asked.header.msg_id) {
        return;
      }
      const { content } = message;
      if (message.header.msg_type === 'stream') {
        printed += String(content['text']);
      } else if (message.header.msg_type === 'error') {
        printed += `Error: ${String(content['ename'])}: ${String(content['evalue'])}`;
      }
      missing.delete(message.header.msg_type);
      missing.delete(String(content['execution_state']));
      if (missing.size === 0) {
        resolve(printed);
        socket.close();
      }
    });
  });
}
