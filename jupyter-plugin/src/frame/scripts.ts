/** Runs a program in the page's own scope, as a script element does. @throws what it throws. */
export function runScript(code: string): void {
  const problems: string[] = [];
  const note = ({ message }: ErrorEvent): void => {
    problems.push(message);
  };
  addEventListener('error', note);
  const script = document.createElement('script');
  script.textContent = code;
  document.head.append(script);
  removeEventListener('error', note);
  const [problem] = problems;
  if (problem !== undefined) {
    throw new Error(problem);
  }
}

/** HTML that is set as text brings its scripts dead: each is put anew, in order, and those from elsewhere are waited for. */
export async function runScriptsOf(node: HTMLElement): Promise<void> {
  for (const dead of node.querySelectorAll('script')) {
    const script = document.createElement('script');
    for (const { name, value } of dead.attributes) {
      script.setAttribute(name, value);
    }
    script.textContent = dead.textContent;
    const loads = script.src !== '' && !script.async && !script.defer;
    const over = new Promise<void>(resolve => {
      script.onload = script.onerror = () => {
        resolve();
      };
    });
    dead.replaceWith(script);
    if (loads) {
      await over;
    }
  }
}
