/** The files of this JupyterLab's own server, as the daemon on the same computer finds them. */
import { URLExt } from '@jupyterlab/coreutils';
import { type Contents, ServerConnection } from '@jupyterlab/services';

/** Drives that show the server's own files; jupyter-collaboration calls them so. */
const OWN_DRIVES: ReadonlySet<string> = new Set(['', 'RTC']);

/** The path below the server's root; null where it lies on another drive, which this computer may not hold. */
export function localPathOf(
  contents: Pick<Contents.IManager, 'driveName' | 'localPath'>,
  path: string,
): string | null {
  return OWN_DRIVES.has(contents.driveName(path)) ? contents.localPath(path) : null;
}

/**
 * What lies at a path below the server's root; null: nothing. Not asked through the contents manager, which reports to
 * the console what is expected here.
 */
export async function localEntry(
  settings: ServerConnection.ISettings,
  path: string,
): Promise<Contents.IModel | null> {
  const url = URLExt.join(settings.baseUrl, 'api/contents', URLExt.encodeParts(path));
  const response = await ServerConnection.makeRequest(`${url}?content=0`, {}, settings);
  if (response.status === 404) {
    return null;
  }
  if (!response.ok) {
    throw await ServerConnection.ResponseError.create(response);
  }
  return (await response.json()) as Contents.IModel;
}
