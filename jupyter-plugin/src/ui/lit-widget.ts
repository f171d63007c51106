/** A Lumino widget whose content is a lit template: rendered when something changed, and only while it can be seen. */
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { render, type TemplateResult } from 'lit/html.js';

export abstract class LitWidget extends Widget {
  /** What is to be seen now. */
  protected abstract content(): TemplateResult;

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.update();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    if (this.isVisible) {
      render(this.content(), this.node);
    }
  }
}
