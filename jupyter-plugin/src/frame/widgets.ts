/** The widgets' library for the frame: Jupyter's own classes, and any widget that brings its program along (anywidget). */
import * as base from '@jupyter-widgets/base';
import * as controls from '@jupyter-widgets/controls';
import { ManagerBase } from '@jupyter-widgets/base-manager';
import { Widget } from '@lumino/widgets';
import luminoStyles from '@jupyter-widgets/controls/css/lumino.css';
import sliderStyles from '@jupyter-widgets/controls/css/nouislider.css';
import styles from '@jupyter-widgets/controls/css/widgets-base.css';
import { anywidget } from './anywidget.ts';
import { FrameComm } from './frame-comm.ts';
import { DirectionalLinkModel, isMadeElsewhere, LinkModel, ofAnotherFrame } from './links.ts';
import { outputWidget } from './output-widget.ts';
import type { WidgetsLibrary } from './words.ts';

type Ways = Parameters<WidgetsLibrary['start']>[0];
type Library = ReturnType<WidgetsLibrary['start']>;
type Classes = Readonly<Record<string, unknown>>;

class FrameManager extends ManagerBase implements Library {
  readonly #ways: Ways;
  readonly #comms = new Map<string, FrameComm>();
  readonly #modules: ReadonlyMap<string, Classes>;

  constructor(ways: Ways) {
    super();
    this.#ways = ways;
    this.#modules = new Map<string, Classes>([
      ['@jupyter-widgets/base', { ...base }],
      ['@jupyter-widgets/controls', { ...controls, LinkModel, DirectionalLinkModel }],
      ['@jupyter-widgets/output', outputWidget(ways.drawOutput)],
      ['anywidget', anywidget],
    ]);
  }

  /** All at once: models refer to each other, and a model is known by its id before it is made. */
  take(models: Parameters<Library['take']>[0]): void {
    for (const { id, state, known } of models) {
      if (!this.has_model(id)) {
        if (known) {
          isMadeElsewhere.add(id);
        }
        const comm = new FrameComm(id, this.#ways.send);
        this.#comms.set(id, comm);
        const names = {
          model_id: id,
          model_name: String(state['_model_name']),
          model_module: String(state['_model_module']),
          model_module_version: String(state['_model_module_version']),
          comm,
        };
        void this.new_model(names, { ...state }).catch((error: unknown) => {
          console.error(error);
        });
      }
    }
  }

  comm(message: Parameters<Library['comm']>[0]): void {
    this.#comms.get(message.id)?.hear(message.from === 'frame' ? ofAnotherFrame(message) : message);
  }

  idle(number: number): void {
    FrameComm.idle(number);
  }

  async draw(id: string, node: HTMLElement): Promise<void> {
    const model = await this.get_model(id);
    const view = await this.create_view(model);
    Widget.attach(view.luminoWidget, node);
  }

  protected override loadClass(name: string, module: string): Promise<never> {
    const found = this.#modules.get(module)?.[name];
    return found === undefined
      ? Promise.reject(
          new Error(`${name} of ${module} is not among the widgets that are shown for a cluster.`),
        )
      : Promise.resolve(found as never);
  }

  protected override _create_comm(): Promise<base.IClassicComm> {
    return Promise.reject(new Error('Here only the kernel can create widgets.'));
  }

  protected override _get_comm_info(): Promise<Record<string, never>> {
    return Promise.resolve({});
  }
}

const style = document.createElement('style');
// Those with the theme's variables; the package's built sheet has one theme's colours in it.
style.textContent = [luminoStyles, sliderStyles, styles].join('\n');
document.head.append(style);

window.hitchWidgets = { start: ways => new FrameManager(ways) };
