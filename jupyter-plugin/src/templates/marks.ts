/** The mistakes and notes of one template, above the editor that shows its file. */
import type { TemplateProblem } from '@hitch/contract';
import { isTemplateText } from '@hitch/contract/src/templates/is-template.ts';
import { html } from '@hitch/views/html';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry, IDocumentWidget } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import { nothing, type TemplateResult } from 'lit/html.js';
import type { Deps } from '../actions/deps.ts';
import { sentenceOf } from '../actions/report.ts';
import { localPathOf } from '../files/local-files.ts';
import { LitWidget } from '../ui/lit-widget.ts';

/** As much of an editor as leads to a place. */
interface Editor {
  setCursorPosition(position: { line: number; column: number }): void;
  focus(): void;
}

function editorOf({ content }: IDocumentWidget): Editor | null {
  const editor: unknown = Reflect.get(content, 'editor');
  return editor instanceof Object && 'setCursorPosition' in editor && 'focus' in editor
    ? // JupyterLab's own type of it comes with a package that the plugin does without.
      (editor as Editor)
    : null;
}

export class TemplateMarks extends LitWidget {
  readonly #deps: Deps;
  readonly #contents: Contents.IManager;
  readonly #widget: IDocumentWidget;
  readonly #context: DocumentRegistry.Context;
  #problems: readonly TemplateProblem[] = [];
  #notes: readonly TemplateProblem[] = [];
  #failure: string | null = null;
  #asked = 0;
  /** It was wrong before, so that it is right now is worth saying. */
  #wasWrong = false;

  constructor(
    deps: Deps,
    contents: Contents.IManager,
    widget: IDocumentWidget,
    context: DocumentRegistry.Context,
  ) {
    super();
    this.#deps = deps;
    this.#contents = contents;
    this.#widget = widget;
    this.#context = context;
    this.addClass('jp-Hitch-marks');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', deps.trans.__('Mistakes in this template'));
    if (widget instanceof MainAreaWidget) {
      widget.contentHeader.addWidget(this);
    }
  }

  /** An answer that comes late is not shown over a later one. */
  async check(): Promise<void> {
    const asked = ++this.#asked;
    const { path, model } = this.#context;
    const local = localPathOf(this.#contents, path);
    const text = model.toString();
    if (local === null || !isTemplateText(text)) {
      this.#show([], [], null);
      return;
    }
    const folder = PathExt.dirname(local);
    try {
      const { problems, notes } = await this.#deps.hitch.client.api.templates.check({
        folder: folder === '' ? '.' : folder,
        text,
      });
      if (asked === this.#asked) {
        this.#show(problems, notes, null);
      }
    } catch (error) {
      if (asked === this.#asked) {
        this.#show([], [], sentenceOf(error));
      }
    }
  }

  #show(
    problems: readonly TemplateProblem[],
    notes: readonly TemplateProblem[],
    failure: string | null,
  ): void {
    if (this.isDisposed) {
      return;
    }
    this.#wasWrong ||= problems.length > 0;
    this.#problems = problems;
    this.#notes = notes;
    this.#failure = failure;
    this.update();
  }

  #go({ file, line, column }: TemplateProblem): void {
    const own = PathExt.basename(this.#context.path);
    if (file !== '' && file !== own) {
      const path = PathExt.join(PathExt.dirname(this.#context.path), file);
      void this.#deps.commands.execute('docmanager:open', { path });
      return;
    }
    const editor = editorOf(this.#widget);
    editor?.setCursorPosition({ line: (line ?? 1) - 1, column: (column ?? 1) - 1 });
    editor?.focus();
  }

  #list(problems: readonly TemplateProblem[]): TemplateResult | typeof nothing {
    return problems.length === 0
      ? nothing
      : html`<ul>
          ${problems.map(
            problem =>
              html`<li>
                <button type="button" class="jp-Hitch-link" @click=${() => this.#go(problem)}>
                  ${[problem.file, problem.line, problem.column].filter(part => part !== null && part !== '').join(':')}
                </button>
                ${problem.sentence}
              </li>`,
          )}
        </ul>`;
  }

  protected override content(): TemplateResult {
    const { trans } = this.#deps;
    const count = this.#problems.length;
    return html`<div role="status">
        ${
          this.#failure === null
            ? count > 0
              ? html`<strong
                  >${trans._n('This template has a mistake:', 'This template has %1 mistakes:', count)}</strong
                >`
              : this.#wasWrong
                ? trans.__('This template has no mistakes.')
                : ''
            : trans.__('This template could not be checked: %1', this.#failure)
        }
      </div>
      ${this.#list(this.#problems)} ${this.#list(this.#notes)}`;
  }
}
