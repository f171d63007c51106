/**
 * Links between widgets, as each frame has them that shows one of their ends. In JupyterLab there is one of each; here one of
 * several may act, or each would repeat to the kernel and to the others what has become of its target since.
 */
import * as controls from '@jupyter-widgets/controls';
import type { ToFrame } from './words.ts';

type Link = controls.DirectionalLinkModel;
type Source = Link['sourceModel'];
type Change = Extract<ToFrame, { type: 'comm' }>;
type Initialize = Parameters<Link['initialize']>;
type UpdateValue = Parameters<Link['updateValue']>;

/** In the state of a change that another frame has made. */
const MARK = '_hitch_of_another_frame';

/** Links that another frame has made before, by the ids of their models: they set their targets when they were made. */
export const isMadeElsewhere = new Set<string>();

/** Those that are made by now. No fields of theirs: Backbone initializes a model before its fields are there. */
const made = new WeakSet<Link>();

/** The same change, so marked that the links of this frame leave it to those of the one that has made it. */
export const ofAnotherFrame = (change: Change): Change => {
  const { state } = change.data;
  return typeof state === 'object' && state !== null
    ? { ...change, data: { ...change.data, state: { ...state, [MARK]: true } } }
    : change;
};

/** While a model takes a change from outside, `_state_lock` is that change (`set_state` of ipywidgets' `WidgetModel`). */
function takesFromAnotherFrame(source: Source): boolean {
  const taken: unknown = Reflect.get(source, '_state_lock');
  return typeof taken === 'object' && taken !== null && Reflect.get(taken, MARK) === true;
}

const mayAct = (link: Link, source: Source): boolean =>
  (made.has(link) || !isMadeElsewhere.has(link.model_id)) && !takesFromAnotherFrame(source);

export class DirectionalLinkModel extends controls.DirectionalLinkModel {
  override initialize(...args: Initialize): void {
    super.initialize(...args);
    made.add(this);
  }

  override updateValue(...args: UpdateValue): void {
    if (mayAct(this, args[0])) {
      super.updateValue(...args);
    }
  }
}

export class LinkModel extends controls.LinkModel {
  override initialize(...args: Initialize): void {
    super.initialize(...args);
    made.add(this);
  }

  override updateValue(...args: UpdateValue): void {
    if (mayAct(this, args[0])) {
      super.updateValue(...args);
    }
  }
}
