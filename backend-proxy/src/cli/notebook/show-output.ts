/** A cell's outputs as text for a terminal. */
import type { NotebookOutput } from '@hitch/contract';

const asText = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join('') : typeof value === 'string' ? value : '';

/** One output that is no stream, as its kernel wrote it; '' where a terminal has nothing to show for it. */
export function outputWords(output: NotebookOutput): string {
  if (output.output_type === 'error') {
    const traceback = output['traceback'];
    const lines = Array.isArray(traceback) ? traceback.map(String).join('\n') : '';
    const summary = `${asText(output['ename'])}: ${asText(output['evalue'])}`;
    return `${lines === '' ? summary : lines}\n`;
  }
  const data = output['data'];
  const plain = typeof data === 'object' && data !== null ? asText(Reflect.get(data, 'text/plain')) : '';
  return plain === '' ? '' : `${plain}\n`;
}
