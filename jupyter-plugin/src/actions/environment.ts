/** Another environment for a cluster that runs: chosen, pinned, agreed to, made on each machine, or left as it was. */
import type { Cluster, LockedEnvironment } from '@hitch/contract';
import {
  addedLines,
  changeQuestion,
  environmentWords,
  lockNotes,
  problemLine,
} from '@hitch/contract/src/environment-words.ts';
import type { EnvironmentRequest, FoundEnvironments } from '@hitch/contract/src/environments.ts';
import { html } from '@hitch/views/html';
import { nothing, type TemplateResult } from 'lit/html.js';
import { LitWidget } from '../ui/lit-widget.ts';
import { ask, LinesBody } from './ask.ts';
import type { Deps } from './deps.ts';
import { COMMANDS } from './ids.ts';
import { actionsOf, attempt, failed, said, sentenceOf } from './report.ts';
import { dismiss, notify } from '../ui/notify.ts';

/** What a person chose: a file, more packages, or what the cluster was rented with. */
type Wish = { readonly path: string } | { readonly add: readonly string[] } | 'reset';

/** The folder that the Jupyter server shows. */
const OWN_FOLDER = '.';
const ADD = 'add';
const RESET = 'reset';

class EnvironmentForm extends LitWidget {
  readonly #deps: Deps;
  readonly #cluster: Cluster;
  #found: FoundEnvironments | null = null;
  choice = '';
  packages = '';

  constructor(deps: Deps, cluster: Cluster) {
    super();
    this.#deps = deps;
    this.#cluster = cluster;
    this.choice = this.#canAdd ? ADD : RESET;
    this.addClass('jp-Hitch-dialogBody');
  }

  /** What has no file of its own is the same for all clusters: it is added to by hand alone. */
  get #canAdd(): boolean {
    return (this.#cluster.environment?.id ?? null) !== null;
  }

  set found(found: FoundEnvironments) {
    this.#found = found;
    const [first] = found.files;
    if (first !== undefined && this.choice === RESET) {
      this.choice = first.path;
    }
    this.update();
  }

  get wish(): Wish | null {
    if (this.choice === RESET) {
      return 'reset';
    }
    const add = this.packages.split(/[\s,]+/).filter(Boolean);
    return this.choice === ADD ? (add.length === 0 ? null : { add }) : { path: this.choice };
  }

  protected override content(): TemplateResult {
    const { trans, now } = this.#deps;
    const { environment } = this.#cluster;
    const files = this.#found?.files ?? [];
    const added = environment === undefined ? [] : addedLines(environment, this.#cluster.nodes.length, now());
    return html`<div class="jp-Hitch-form">
      <label>
        <span>${trans.__('Packages')}</span>
        <select
          class="jp-mod-styled"
          name="packages"
          @change=${({ target }: Event) => {
            this.choice = target instanceof HTMLSelectElement ? target.value : this.choice;
            this.update();
          }}
        >
          ${
            this.#canAdd
              ? html`<option value=${ADD} ?selected=${this.choice === ADD}>
                  ${trans.__('Those it has, and more')}
                </option>`
              : nothing
          }
          ${files.map(
            ({ path, name }) =>
              html`<option value=${path} ?selected=${this.choice === path}>
                ${trans.__('Those of %1', name)}
              </option>`,
          )}
          <option value=${RESET} ?selected=${this.choice === RESET}>
            ${trans.__('Those it was rented with, without what was added')}
          </option>
        </select>
      </label>
      ${
        this.choice === ADD
          ? html`<label>
              <span>${trans.__('More packages, separated by spaces')}</span>
              <input
                class="jp-mod-styled"
                name="add-packages"
                placeholder="einops>=0.8"
                autocomplete="off"
                @input=${({ target }: Event) =>
                  (this.packages = target instanceof HTMLInputElement ? target.value : '')}
              />
            </label>`
          : nothing
      }
      ${(this.#found?.notes ?? []).map(note => html`<p class="jp-Hitch-quiet">${note}</p>`)}
      ${
        added.length === 0
          ? nothing
          : html`<p>${trans.__('Added by hand:')}</p>
              <ul class="jp-Hitch-lines">
                ${added.map(line => html`<li>${line}</li>`)}
              </ul>`
      }
    </div>`;
  }
}

/** Null: given up. */
async function askWish(deps: Deps, cluster: Cluster): Promise<Wish | null> {
  const { hitch, trans } = deps;
  const form = new EnvironmentForm(deps, cluster);
  hitch.client.api.environments.find({ folders: [OWN_FOLDER] }).then(
    found => {
      if (!form.isDisposed) {
        form.found = found;
      }
    },
    (error: unknown) => {
      if (!form.isDisposed) {
        form.found = { files: [], notes: [sentenceOf(error)] };
      }
    },
  );
  const answer = await ask<'go'>(trans, {
    title: trans.__('Change the environment of %1', cluster.name),
    body: form,
    choices: [{ value: 'go', label: trans.__('Pin the packages…') }],
    usual: 'go',
    focus: 'select',
  });
  return answer === null ? null : form.wish;
}

/** Null: it cannot be pinned, or it took the person's patience; either was said. */
async function pinned(deps: Deps, request: EnvironmentRequest): Promise<LockedEnvironment | null> {
  const { hitch, trans } = deps;
  const giveUp = new AbortController();
  const note = notify('in-progress', trans.__('Pinning every package…'), {
    autoClose: false,
    actions: actionsOf([{ label: trans.__('Cancel'), run: () => giveUp.abort() }]),
  });
  try {
    const { environment, problems } = await hitch.client.api.environments.lock(request, {
      signal: giveUp.signal,
    });
    if (environment === null) {
      failed(`${trans.__('Nothing was changed.')} ${problems.map(problemLine).join(' ')}`);
    }
    return environment;
  } catch (error) {
    if (!giveUp.signal.aborted) {
      failed(`${trans.__('Nothing was changed.')} ${sentenceOf(error)}`);
    }
    return null;
  } finally {
    dismiss(note);
  }
}

/** Tells how a change ended, whichever page began it. */
export function followChange(deps: Deps, id: Cluster['id']): void {
  const { hitch, trans } = deps;
  const look = (): void => {
    const cluster = hitch.clusters.find(each => each.id === id);
    const environment = cluster?.environment;
    if (environment?.change !== null && environment?.change !== undefined) {
      return;
    }
    hitch.changed.disconnect(look);
    if (cluster === undefined || environment === undefined) {
      return;
    }
    if (environment.problem === null) {
      said(trans.__('The environment of %1 is changed. Restart a kernel to use it.', cluster.name));
    } else {
      failed(`${cluster.name}: ${environment.problem}`);
    }
  };
  hitch.changed.connect(look);
}

export async function changeEnvironment(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, commands, trans } = deps;
  const wish = await askWish(deps, cluster);
  if (wish === null) {
    return;
  }
  const environment =
    wish === 'reset'
      ? null
      : await pinned(deps, {
          clusterId: cluster.id,
          ...('path' in wish ? { path: wish.path } : { add: [...wish.add] }),
        });
  if (wish !== 'reset' && environment === null) {
    return;
  }
  const lines = [
    environment === null ? trans.__('Back to what it was rented with.') : environmentWords(environment),
    ...(environment === null ? [] : lockNotes(environment)),
    ...changeQuestion(cluster),
  ];
  const yes = await ask<'change'>(trans, {
    title: trans.__('Change the environment of %1?', cluster.name),
    body: new LinesBody(lines),
    choices: [{ value: 'change', label: trans.__('Change it') }],
  });
  if (yes === null) {
    return;
  }
  const changing = await attempt(
    deps,
    () =>
      hitch.client.api.clusters.changeEnvironment({
        clusterId: cluster.id,
        environment: environment?.id ?? null,
      }),
    () => void changeEnvironment(deps, cluster),
  );
  if (changing !== null) {
    await hitch.refresh();
    followChange(deps, cluster.id);
    await commands.execute(COMMANDS.showTimeline, { clusterId: cluster.id });
  }
}

/** Ends a change that goes on; all machines keep what they have. */
export async function keepEnvironment(deps: Deps, cluster: Cluster): Promise<void> {
  const { hitch, trans } = deps;
  const kept = await attempt(
    deps,
    () => hitch.client.api.clusters.keepEnvironment({ clusterId: cluster.id }),
    () => void keepEnvironment(deps, cluster),
  );
  if (kept !== null) {
    await hitch.refresh();
    said(trans.__('Cancelled; the environment of %1 is what it was.', cluster.name));
  }
}
