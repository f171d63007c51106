/** What `Output` widgets have taken: the outputs of the message that each of them names, as JupyterLab gathers them. */
import type { KernelMessage } from '@jupyterlab/services';
import { type Bundle, isBundle } from './framed.ts';

const MOST_OUTPUTS = 500;
const KINDS = ['stream', 'display_data', 'execute_result', 'error'];

type Output = Record<string, unknown>;

/** What a widget could take. */
export const isOutput = (type: string, { channel }: Pick<KernelMessage.IMessage, 'channel'>): boolean =>
  channel === 'iopub' && (KINDS.includes(type) || type === 'clear_output');

export class CapturedOutputs {
  readonly #widgets = new Map<string, { messageId: string; outputs: readonly Output[]; clear: boolean }>();

  /** A widget's state has changed: it may begin or end to take outputs. */
  look(id: string, state: Bundle): void {
    if (state['_model_name'] !== 'OutputModel') {
      return;
    }
    const outputs = (Array.isArray(state['outputs']) ? state['outputs'] : []).filter(isBundle);
    const messageId = typeof state['msg_id'] === 'string' ? state['msg_id'] : '';
    this.#widgets.set(id, { messageId, outputs, clear: this.#widgets.get(id)?.clear ?? false });
  }

  drop(id: string): void {
    this.#widgets.delete(id);
  }

  clear(): void {
    this.#widgets.clear();
  }

  /** @returns the widget and what it shows now; null for a message that no widget takes. */
  take(type: string, message: KernelMessage.IMessage): { id: string; outputs: readonly Output[] } | null {
    const parent = 'msg_id' in message.parent_header ? message.parent_header.msg_id : '';
    const found = isOutput(type, message) && parent !== '' ? this.#newest(parent) : undefined;
    if (found === undefined) {
      return null;
    }
    const [id, widget] = found;
    const content = message.content as Output;
    const before = widget.clear && type !== 'clear_output' ? [] : widget.outputs;
    const outputs = type === 'clear_output' && content['wait'] !== true ? [] : before;
    const next = type === 'clear_output' ? outputs : added(outputs, { output_type: type, ...content });
    this.#widgets.set(id, {
      ...widget,
      outputs: next,
      clear: type === 'clear_output' && content['wait'] === true,
    });
    return { id, outputs: next };
  }

  #newest(parent: string) {
    return [...this.#widgets].reverse().find(([, { messageId }]) => messageId === parent);
  }
}

/** Text goes on where the last text of the same stream ended. */
function added(outputs: readonly Output[], output: Output): readonly Output[] {
  const last = outputs.at(-1);
  const goesOn =
    output['output_type'] === 'stream' &&
    last?.['output_type'] === 'stream' &&
    last['name'] === output['name'];
  if (goesOn) {
    return [...outputs.slice(0, -1), { ...last, text: `${String(last['text'])}${String(output['text'])}` }];
  }
  if (outputs.length < MOST_OUTPUTS) {
    return [...outputs, output];
  }
  const note = {
    output_type: 'stream',
    name: 'stderr',
    text: '[Hitch] Older outputs of this widget are left out.\n',
  };
  return [note, ...outputs.slice(2), output];
}
