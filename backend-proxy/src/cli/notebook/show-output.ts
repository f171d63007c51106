/** A cell's outputs as text for a terminal. */
import type { NotebookOutput } from '@hitch/contract';
import { stripVTControlCharacters } from 'node:util';

/**
 * Control sequences from a stranger's machine may colour text; they may not move the cursor, set titles or answer
 * questions of the terminal. Carriage returns stay: progress bars are made of them.
 */
export function safeText(text: string, colour: boolean): string {
  const noOther = text
    // Operating-system, device-control and other string sequences, ended by BEL or ST.
    .replace(/\u001b[\]PX^_][\s\S]*?(?:\u0007|\u001b\\|$)/g, '')
    // Every control sequence that is not a colour.
    .replace(/(?:\u001b\[|\u009b)[0-9;:?<=>!]*[ -/]*[@-ln-~]/g, '')
    .replace(/\u001b(?!\[[0-9;:]*m)[ -/]*[0-~]?/g, '')
    .replace(/[\u0000-\u0006\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f]/g, '')
    .replace(/\u0007/g, '');
  return colour ? noOther : stripVTControlCharacters(noOther);
}

const asText = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join('') : typeof value === 'string' ? value : '';

/** One output that is no stream; '' where a terminal has nothing to show for it. */
export function outputText(output: NotebookOutput, colour: boolean): string {
  if (output.output_type === 'error') {
    const traceback = output['traceback'];
    const lines = Array.isArray(traceback) ? traceback.map(String).join('\n') : '';
    const summary = `${asText(output['ename'])}: ${asText(output['evalue'])}`;
    return `${safeText(lines === '' ? summary : lines, colour)}\n`;
  }
  const data = output['data'];
  const plain = typeof data === 'object' && data !== null ? asText(Reflect.get(data, 'text/plain')) : '';
  return plain === '' ? '' : `${safeText(plain, colour)}\n`;
}
