/**
 * How JupyterLab draws an output of a cluster that has something active in it. Each output has a frame of its own, which
 * scrolls and is found where it belongs; a script without anything of its own to show runs in the frame before it.
 */
import { shownName } from '@hitch/contract';
import { type IRenderMimeRegistry, MimeModel, removeMath, replaceMath } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import { choose } from '../frame/kinds.ts';
import type { Shown } from '../frame/words.ts';
import { Frame, type FrameDeps } from './frame.ts';
import { type Bundle, type Framed, FRAMED, framedSchema, kernelOf, textOf } from './framed.ts';
import { setText } from '../ui/text.ts';
import { isLoader, loadersOf } from './loaders.ts';
import { passiveHtml } from './passive-html.ts';

export interface FramedOutputDeps extends FrameDeps {
  readonly rendermime: IRenderMimeRegistry;
  readonly markdown: IRenderMime.IMarkdownParser | null;
}

/** Which of an output's nodes is which widget. */
const outputs = new WeakMap<Element, FramedOutput>();
const open = new Set<Frame>();
let keys = 0;

/** JupyterLab's theme is another one. */
export const tellTheme = (): void => {
  open.forEach(frame => {
    frame.tellTheme();
  });
};

const nothing: Framed = { kernel: null, data: {}, metadata: {} };

export class FramedOutput extends Panel {
  readonly #deps: FramedOutputDeps;
  readonly #key = (keys += 1);
  #framed: Framed = nothing;
  /** All that the output has, for the choice of the richest. */
  #bundle: Bundle = {};
  #isFramed = false;
  #isLoader = false;
  /** There was no room for it among the loaders, which has been said. */
  #unkept = false;
  #frame: Frame | null = null;
  #host: FramedOutput | null = null;

  constructor(deps: FramedOutputDeps) {
    super();
    this.#deps = deps;
    this.addClass('jp-hitch-Framed');
    outputs.set(this.node, this);
  }

  /** Null while it is not shown, or shows in another's. */
  get frame(): Frame | null {
    return this.#frame;
  }

  async render(model: IRenderMime.IMimeModel): Promise<void> {
    this.#isFramed = false;
    const { [FRAMED]: given, ...quiet } = model.data;
    const parsed = framedSchema.safeParse(given);
    this.#framed = parsed.success ? parsed.data : nothing;
    this.#bundle = { ...quiet, ...this.#framed.data };
    const html = await this.#markdownAsHtml();
    if (html !== null) {
      this.#bundle = { 'text/html': html };
    }
    const choice = choose(Object.keys(this.#bundle));
    if (choice !== null && choice.type in quiet && !(choice.type in this.#framed.data)) {
      await this.#drawHere(quiet, choice.type, this.#notDrawn());
    } else if (choice === null) {
      this.#note(this.#notDrawn());
    } else if (html !== null && passiveHtml(html) !== null) {
      await this.#drawHere(
        { 'text/markdown': textOf(this.#framed.data['text/markdown']) },
        'text/markdown',
        '',
      );
    } else {
      this.#drawInFrame();
    }
  }

  /** Markdown that is the richest of the output's types. */
  async #markdownAsHtml(): Promise<string | null> {
    const source = textOf(this.#framed.data['text/markdown']);
    const richer = choose(Object.keys(this.#bundle));
    const { markdown } = this.#deps;
    if (
      source === null ||
      markdown === null ||
      !['picture', 'text', 'svg', undefined].includes(richer?.kind)
    ) {
      return null;
    }
    const { text, math } = removeMath(source);
    return replaceMath(await markdown.render(text), math);
  }

  #notDrawn(): string {
    const types = Object.keys(this.#framed.data);
    return types.length === 0
      ? ''
      : this.#deps.trans.__(
          'Not shown for a cluster: %1. The rest of the output is.',
          types.map(shownName).join(', '),
        );
  }

  /** By JupyterLab itself, as what is not to be trusted. */
  async #drawHere(data: Bundle, type: string, note: string): Promise<void> {
    this.#leaveFrame();
    [...this.widgets].forEach(widget => {
      widget.dispose();
    });
    const renderer = this.#deps.rendermime.createRenderer(type);
    await renderer.renderModel(new MimeModel({ data: { ...data } as never, trusted: false }));
    this.addWidget(renderer);
    this.#note(note);
  }

  #note(sentence: string): void {
    if (sentence !== '') {
      const line = new Widget();
      line.addClass('jp-hitch-FrameStatus');
      setText(line.node, sentence);
      this.addWidget(line);
    }
  }

  #drawInFrame(): void {
    this.#isFramed = true;
    this.#isLoader = isLoader(this.#framed.data);
    this.#unkept = false;
    if (this.#counted().kernel !== null || this.isAttached) {
      this.#noteLoader();
    }
    if (this.#frame !== null) {
      this.#frame.show([this.#shown()]);
    } else if (this.#host !== null) {
      this.#host.frame?.show([this.#shown()]);
    } else if (this.isAttached) {
      this.#enterFrame();
    }
  }

  /** For the outputs after it; once more where it is shown anew, for its kernel may have forgotten it. */
  #noteLoader(): void {
    if (!this.#isLoader || this.#unkept || loadersOf(this.#deps.comms).note(this.#counted(), this.#place())) {
      return;
    }
    this.#unkept = true;
    this.#note(
      this.#deps.trans.__('This library is too large to be kept; outputs after it may not find it.'),
    );
  }

  /** With its kernel, if that counts. */
  #counted(): Framed {
    return { ...this.#framed, kernel: kernelOf(this.#framed, this.#deps.isOn) };
  }

  /** The notebook around it. An output in a view of its own stands alone. */
  #place(): Element {
    return this.node.closest('.jp-Notebook, .jp-CodeConsole') ?? this.node;
  }

  #shown(): Shown {
    return { key: this.#key, data: this.#bundle, metadata: this.#framed.metadata, hidden: false };
  }

  #enterFrame(): void {
    if (!this.#isFramed || this.#frame !== null || this.#host !== null) {
      return;
    }
    const host = this.#frameBefore();
    if (host !== null) {
      this.#host = host;
      host.frame?.show([this.#shown()]);
      return;
    }
    this.#noteLoader();
    const frame = new Frame(this.#deps, this.#framed);
    this.#frame = frame;
    open.add(frame);
    this.node.append(frame.node);
    const before = loadersOf(this.#deps.comms).before(this.#counted(), this.#place());
    frame.show([
      ...before.map(({ data, metadata }, index) => ({ key: -1 - index, data, metadata, hidden: true })),
      this.#shown(),
    ]);
    void frame.start();
  }

  /** For a script alone: the last frame above it in the same cell, whose HTML it may be meant to fill. */
  #frameBefore(): FramedOutput | null {
    const kind = choose(Object.keys(this.#bundle))?.kind;
    const joins = kind === 'script' || (kind === 'both' && !('text/html' in this.#bundle));
    const area = joins ? this.node.closest('.jp-OutputArea') : null;
    const nodes = [...(area?.querySelectorAll('.jp-hitch-Framed') ?? [])];
    const above = nodes.slice(0, Math.max(0, nodes.indexOf(this.node)));
    const widgets = above.map(node => outputs.get(node)).filter(widget => (widget?.frame ?? null) !== null);
    return widgets.at(-1) ?? null;
  }

  #leaveFrame(): void {
    this.#host?.frame?.drop(this.#key);
    this.#host = null;
    if (this.#frame !== null) {
      open.delete(this.#frame);
      this.#frame.dispose();
      this.#frame = null;
    }
  }

  /** A frame that is moved in the page loads anew, so it is made where it is shown. */
  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.#enterFrame();
  }

  protected override onBeforeDetach(message: Message): void {
    this.#leaveFrame();
    super.onBeforeDetach(message);
  }

  override dispose(): void {
    this.#leaveFrame();
    super.dispose();
  }
}
