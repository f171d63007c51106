/** The `Output` widget. JupyterLab's page gathers its outputs; this draws them. */
import { DOMWidgetModel, DOMWidgetView } from '@jupyter-widgets/base';

type Output = Readonly<Record<string, unknown>>;

export function outputWidget(
  drawOutput: (output: Output, node: HTMLElement) => void,
): Readonly<Record<string, unknown>> {
  class OutputModel extends DOMWidgetModel {
    override defaults() {
      return {
        ...super.defaults(),
        _model_name: 'OutputModel',
        _view_name: 'OutputView',
        _model_module: '@jupyter-widgets/output',
        _view_module: '@jupyter-widgets/output',
        outputs: [],
        msg_id: '',
      };
    }
  }

  class OutputView extends DOMWidgetView {
    override render(): void {
      super.render();
      this.listenTo(this.model, 'change:outputs', () => {
        this.#draw();
      });
      this.#draw();
    }

    #draw(): void {
      this.el.textContent = '';
      const outputs: unknown = this.model.get('outputs');
      for (const output of Array.isArray(outputs) ? (outputs as Output[]) : []) {
        const node = document.createElement('div');
        this.el.append(node);
        drawOutput(output, node);
      }
    }
  }
  return { OutputModel, OutputView };
}
