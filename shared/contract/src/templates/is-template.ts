/** Whether a text says that it is a template of Hitch: many files are called `hitch.yaml`. */
export const isTemplateText = (text: string): boolean =>
  /^\uFEFF?(?:#.*\r?\n|\s*\r?\n)*schema:\s*["']?hitch-template\//.test(text);
