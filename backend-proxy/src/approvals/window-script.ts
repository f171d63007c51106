/**
 * The program of the daemon's window, as text: it runs in a browser.
 *
 * The yes counts once the window has been in front for a second in which nobody pressed anything. So neither a click that
 * was meant for the page behind it, nor a key that was held down, nor the second half of a double click is a yes. A window
 * that was made too small to be read waits until it is larger.
 */
const ARM_AFTER_MS = 1_000;
const LEAST_WIDTH = 320;
const LEAST_HEIGHT = 320;
const LOOK_EVERY_MS = 1_500;

export const WINDOW_SCRIPT = `(() => {
  const [yes, no, note] = ['yes', 'no', 'note'].map(id => document.getElementById(id));
  const { secret } = document.body.dataset;
  const place = location.pathname;
  let timer;
  let armed = false;
  let over = false;

  const say = text => { note.textContent = text; };
  const isReadable = () => innerWidth >= ${LEAST_WIDTH.toString()} && innerHeight >= ${LEAST_HEIGHT.toString()};
  const isInFront = () => document.visibilityState === 'visible' && document.hasFocus() && isReadable();

  const arm = () => {
    clearTimeout(timer);
    armed = false;
    yes.setAttribute('aria-disabled', 'true');
    if (over) return;
    document.body.classList.toggle('small', !isReadable());
    if (!isInFront()) return;
    timer = setTimeout(() => {
      armed = isInFront();
      yes.setAttribute('aria-disabled', String(!armed));
    }, ${ARM_AFTER_MS.toString()});
  };
  for (const name of ['focus', 'blur', 'resize', 'pageshow']) addEventListener(name, arm);
  document.addEventListener('visibilitychange', arm);
  for (const name of ['pointerdown', 'keydown']) {
    addEventListener(name, () => { if (!armed) arm(); }, { capture: true });
  }

  const end = (text, close) => {
    over = true;
    arm();
    say(text);
    no.textContent = 'Close';
    yes.hidden = true;
    if (close) window.close();
  };
  const ENDS = {
    done: 'Done. You can close this window.',
    declined: 'Nothing was spent. You can close this window.',
    withdrawn: 'This request was withdrawn. Nothing was spent. You can close this window.',
    expired: 'Nobody answered in time, and the price may have moved. Nothing was spent. Ask for it again.',
  };
  const take = ({ state, problem }) => {
    if (state === 'failed') end(problem ?? 'It could not be done.', false);
    else if (state in ENDS) end(ENDS[state], state !== 'expired');
  };
  const read = async answer => {
    const body = await answer.json();
    if (answer.ok) return body;
    throw new Error([body.message, body.next].filter(Boolean).join(' '));
  };

  const answer = async isYes => {
    say(isYes ? 'One moment…' : '');
    yes.setAttribute('aria-disabled', 'true');
    armed = false;
    try {
      take(await read(await fetch(place + '/answer', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ secret, yes: isYes }),
      })));
    } catch (error) {
      say(error instanceof TypeError ? 'Hitch’s daemon does not answer. Try again.' : error.message);
      arm();
    }
  };
  yes.addEventListener('click', event => {
    if (event.isTrusted && armed && isInFront() && !over) void answer(true);
    else arm();
  });
  const leave = event => {
    if (!event.isTrusted) return;
    if (over) window.close();
    else void answer(false);
  };
  no.addEventListener('click', leave);
  addEventListener('keydown', event => { if (event.key === 'Escape') leave(event); });

  const look = async () => {
    if (over) return;
    try { take(await read(await fetch(place + '/state'))); } catch { /* Asked again; the person may answer meanwhile. */ }
    setTimeout(look, ${LOOK_EVERY_MS.toString()});
  };
  setTimeout(look, ${LOOK_EVERY_MS.toString()});
  no.focus();
  arm();
})();
`;
