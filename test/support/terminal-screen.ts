/** A terminal of JupyterLab's plugin without its widget. */
import type { Terminal } from '@jupyterlab/services';
import type { ClusterTerminal } from '../../jupyter-plugin/src/terminals/connection.ts';
import { until } from './waiting.ts';

/** What a terminal widget would show. */
export class Screen {
  readonly terminal: ClusterTerminal;
  shown = '';

  constructor(terminal: ClusterTerminal) {
    this.terminal = terminal;
    terminal.messageReceived.connect((_, { type, content }: Terminal.IMessage) => {
      if (type === 'stdout') {
        this.shown = `${this.shown}${String(content?.[0])}`.split('\u001bc').at(-1) ?? '';
      }
    });
  }

  type(text: string): void {
    this.terminal.send({ type: 'stdin', content: [text] });
  }

  async says(text: string, act: () => void = () => undefined): Promise<void> {
    act();
    await until(`the terminal says ${text}`, () => this.shown.includes(text));
  }
}
