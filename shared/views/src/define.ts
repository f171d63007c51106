/** Registers the views and the parts of the kit that they use. Doing it twice on a page is harmless. */
import './define-looking.ts';
import { register } from './register.ts';
import { HitchConfirm } from './rent/confirm.ts';
import { HitchRentForm } from './rent/rent-form.ts';

declare global {
  interface HTMLElementTagNameMap {
    'hitch-rent-form': HitchRentForm;
    'hitch-confirm': HitchConfirm;
  }
}

register({ 'hitch-rent-form': HitchRentForm, 'hitch-confirm': HitchConfirm });
