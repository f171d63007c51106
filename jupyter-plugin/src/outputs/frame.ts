/** One frame in JupyterLab's page: it is made, given what to draw, and listened to. */
import { cutText } from '@hitch/contract';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { LONGEST_LINK, type Shown, type ToFrame } from '../frame/words.ts';
import type { Assets } from './assets.ts';
import type { ClusterComms } from './comms.ts';
import { type Framed, type IsOn, kernelOf } from './framed.ts';
import { type FromFrame, fromFrame } from './frame-messages.ts';
import { openLink } from './links.ts';
import { setText } from '../ui/text.ts';
import { innerPage, outerPage } from './pages.ts';
import { themeStyle } from './theme.ts';
import { FrameWidgets } from './frame-widgets.ts';

/** Beyond, the frame scrolls by itself. */
const TALLEST_PX = 6_000;
const BLOCKED_NAMED = 5;

export interface FrameDeps {
  readonly assets: Assets;
  readonly comms: ClusterComms;
  readonly trans: TranslationBundle;
  /** The connection of the notebook or console that has this kernel; null where none has. */
  readonly kernelOf: (id: string) => Kernel.IKernelConnection | null;
  readonly isLight: () => boolean;
  readonly isOn: IsOn;
}

export class Frame {
  readonly node = document.createElement('div');
  readonly #deps: FrameDeps;
  readonly #iframe = document.createElement('iframe');
  readonly #status = document.createElement('div');
  readonly #blocked = new Set<string>();
  readonly #widgets: FrameWidgets | null;
  readonly #shown = new Map<number, Shown>();
  #port: MessagePort | null = null;
  #given = false;
  /** Said beside all else, as long as the frame is there. */
  #lasting = '';
  #asksAboutLinks = true;

  constructor(deps: FrameDeps, framed: Framed) {
    const { trans } = deps;
    const { kernel: kernelId } = framed;
    this.#deps = deps;
    this.#widgets =
      kernelId === null
        ? null
        : new FrameWidgets({
            comms: deps.comms.of(kernelId),
            isOn: () => kernelOf(framed, deps.isOn) !== null,
            kernel: () => deps.kernelOf(kernelId),
            post: message => {
              this.#post(message);
            },
            onLeft: count => {
              this.#keepSaying(
                trans.__(
                  'This kernel has more widgets than fit here: the oldest %1 were left out. Run the cell again.',
                  count,
                ),
              );
            },
          });
    this.#iframe.setAttribute('sandbox', 'allow-scripts');
    this.#iframe.setAttribute('allow', '');
    this.#iframe.setAttribute('referrerpolicy', 'no-referrer');
    this.#iframe.setAttribute('title', trans.__('Output of a cluster'));
    this.#iframe.style.height = '0';
    this.#status.className = 'jp-hitch-FrameStatus';
    this.#status.setAttribute('role', 'status');
    this.#say(trans.__('Drawing the output…'));
    this.node.append(this.#iframe, this.#status);
    window.addEventListener('message', this.#onOuter);
  }

  /** Once {@link node} is in the page. */
  async start(): Promise<void> {
    const { assets, trans } = this.#deps;
    try {
      const [outer] = await Promise.all([assets.get('outer'), assets.get('inner')]);
      this.#iframe.srcdoc = outerPage(outer);
    } catch (error) {
      this.#say(trans.__('This output cannot be drawn: %1', String(error)));
    }
  }

  show(outputs: readonly Shown[]): void {
    outputs.forEach(output => this.#shown.set(output.key, output));
    this.#post({ type: 'show', outputs });
  }

  drop(key: number): void {
    this.#shown.delete(key);
    this.#post({ type: 'drop', key });
  }

  /** JupyterLab's theme is another one. */
  tellTheme(): void {
    this.#post({ type: 'theme', style: themeStyle(this.#deps.isLight()) });
  }

  dispose(): void {
    window.removeEventListener('message', this.#onOuter);
    this.#widgets?.dispose();
    this.#port?.close();
    this.#port = null;
    this.node.remove();
  }

  #post(message: ToFrame): void {
    this.#port?.postMessage(message);
  }

  #say(sentence: string): void {
    const all = [sentence, this.#lasting].filter(part => part !== '').join(' ');
    setText(this.#status, all);
    this.#status.hidden = all === '';
  }

  #keepSaying(sentence: string): void {
    this.#lasting = sentence;
    this.#say('');
  }

  readonly #onOuter = (event: MessageEvent<unknown>): void => {
    if (event.source === null || event.source !== this.#iframe.contentWindow) {
      return;
    }
    if (event.data === 'hitch-outer' && !this.#given) {
      this.#given = true;
      void this.#connect();
    } else if (event.data === 'hitch-lost') {
      this.#say(
        this.#deps.trans.__(
          'This output has reloaded itself and is no longer connected. Run its cell again.',
        ),
      );
    }
  };

  /** The frame's own page gets one end of a channel, by way of the page around it. */
  async #connect(): Promise<void> {
    const inner = await this.#deps.assets.get('inner');
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.#hear(data);
    };
    const page = { inner: innerPage(inner), title: this.#iframe.title };
    this.#iframe.contentWindow?.postMessage(page, '*', [port2]);
    this.tellTheme();
    this.#post({ type: 'show', outputs: [...this.#shown.values()] });
  }

  #hear(data: unknown): void {
    const { success, data: message } = fromFrame.safeParse(data);
    if (success) {
      this.#act(message);
    } else {
      this.#say(this.#deps.trans.__('This output sent a message that is not supported; it was ignored.'));
    }
  }

  #act(message: FromFrame): void {
    switch (message.type) {
      case 'height':
        this.#iframe.style.height = `${Math.min(TALLEST_PX, Math.ceil(message.px)).toString()}px`;
        break;
      case 'need':
        void this.#give(message.name);
        break;
      case 'models':
      case 'comm':
        this.#actOnWidgets(message);
        break;
      case 'link':
        void this.#openLink(message.href);
        break;
      case 'blocked':
        this.#noteBlocked(message.from);
        break;
      case 'shown':
        if (this.#blocked.size === 0) {
          this.#say('');
        }
        break;
      case 'leave':
        this.node.closest<HTMLElement>('.jp-Notebook, .jp-CodeConsole')?.focus();
        break;
    }
  }

  /** A frame can say that a link was pressed as often as it likes: after one no, nobody is asked any more. */
  async #openLink(href: string | null): Promise<void> {
    if (href === null) {
      this.#keepSaying(
        this.#deps.trans.__(
          'A link in this output was not opened: it has more than %1 characters.',
          LONGEST_LINK,
        ),
      );
      return;
    }
    if (this.#asksAboutLinks && !(await openLink(href, this.#deps.trans))) {
      this.#asksAboutLinks = false;
      this.#keepSaying(
        this.#deps.trans.__('No more links in this output are opened. Run its cell again to be asked again.'),
      );
    }
  }

  #actOnWidgets(message: Extract<FromFrame, { type: 'models' | 'comm' }>): void {
    if (this.#widgets !== null) {
      void this.#widgets.hear(message);
    } else if (message.type === 'models') {
      this.#post({ type: 'models', root: message.root, models: [] });
    } else {
      this.#post({ type: 'idle', number: message.number });
    }
  }

  async #give(name: 'plotly' | 'vega' | 'widgets'): Promise<void> {
    try {
      this.#post({ type: 'library', name, code: await this.#deps.assets.get(name), problem: '' });
    } catch (error) {
      this.#post({ type: 'library', name, code: '', problem: String(error) });
    }
  }

  #noteBlocked(from: string): void {
    this.#blocked.add((URL.canParse(from) ? new URL(from).host : '') || cutText(from, 40));
    const names = [...this.#blocked].slice(0, BLOCKED_NAMED).join(', ');
    const rest = this.#blocked.size - BLOCKED_NAMED;
    const more = rest > 0 ? `, ${this.#deps.trans.__('%1 more', rest)}` : '';
    this.#say(
      this.#deps.trans.__(
        'Not loaded, because outputs of a cluster may not contact any server: %1',
        names + more,
      ),
    );
  }
}
