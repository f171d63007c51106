/** A list of paths that a person adds to and takes from. */
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { button, textInput } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';

export function pathList(parts: {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly help: string;
  readonly problem: string | null;
  readonly paths: readonly string[];
  readonly t: Translate;
  readonly choose: (() => void) | null;
  readonly changed: (paths: readonly string[]) => void;
}): TemplateResult {
  const { id, label, hint, help, problem, paths, t, choose, changed } = parts;
  return html`<div class="paths">
    ${textInput({
      id,
      label,
      value: '',
      hint,
      help,
      problem,
      changed: (text, empty) => {
        const path = text.trim();
        if (path !== '') {
          empty();
          changed([...paths.filter(other => other !== path), path]);
        }
      },
    })}
    ${
      choose === null
        ? nothing
        : html`<div>${button(t('Choose…'), choose, { secondary: true, id: `choose-${id}` })}</div>`
    }
    ${
      paths.length === 0
        ? nothing
        : html`<ul aria-label=${label}>
            ${paths.map(
              path =>
                html`<li>
                  <code>${path}</code
                  ><button
                    class="link"
                    type="button"
                    aria-label=${t('Remove %1', path)}
                    @click=${() => {
                      changed(paths.filter(other => other !== path));
                    }}
                  >
                    ${t('Remove')}
                  </button>
                </li>`,
            )}
          </ul>`
    }
  </div>`;
}
