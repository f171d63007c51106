/** A form in a dialog: it is there before the dialog looks for what gets the focus. */
import { type Message, MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { LitWidget } from './lit-widget.ts';

export abstract class DialogForm extends LitWidget {
  constructor() {
    super();
    this.addClass('jp-Hitch-dialogBody');
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    MessageLoop.sendMessage(this, Widget.Msg.UpdateRequest);
  }
}
